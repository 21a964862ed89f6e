"""Messages of one text are encoded without being built, and just as those that are."""

from __future__ import annotations

import math
import random
import sys
from datetime import date
from functools import partial
from typing import Any, NamedTuple, cast

import pytest

from otel_agents.instrumentors._core.encoding.encoded import TRUNCATED, Encoded, Items, encode
from otel_agents.instrumentors._core.encoding.messages import TextMessage
from otel_agents.instrumentors._core.encoding.plain import dump

Source = tuple[Any, Any, Any]


class Named(NamedTuple):
    role: str
    text: str
    reason: str | None = None


TEXTS = {
    "short": "be kind",
    "long": "Lorem ipsum " * 200,
    "escapes": 'say "no"\\ \n\t\r\b\f\x00\x1f\x7f \u2028</script>',
    "long escapes": '"\n\x01' * 1000,
    "umlauts": "größe 🙂 " * 400,
    "surrogate": "broken \ud800 text",
    "long surrogate": "broken \ud800 text" * 200,
    "data": "data:image/png;base64," + "QUJD" * 100,
    "like data": "data: how",
    "Data": "Do it",
}
KINDS: list[tuple[Any, Any]] = [
    *[(role, None) for role in ("user", "assistant", "system", "developer", 'o"dd', 3, ["r"])],
    *[("assistant", reason) for reason in ("stop", "tool_calls", "end_turn", 'o"dd', "")],
]


def converted(source: Source) -> dict[str, Any]:
    role, text, reason = source
    message = {"role": role, "parts": [{"type": "text", "content": text}]}
    return message if reason is None else {**message, "finish_reason": reason}


def as_text(source: Source) -> TextMessage | None:
    return source if source[1] is not None else None


def _text_of(source: Any) -> TextMessage | None:
    return cast(TextMessage, source) if isinstance(source, tuple) else None


def is_fuller(made: Encoded, expected: Encoded) -> bool:
    """Whether the newest message is cut, where its exact size leaves more of it."""
    part, as_built = (encoded.structure()[-1]["parts"][0] for encoded in (made, expected))
    starts_alike = part["content"].startswith(as_built["content"])
    return made.size > expected.size and TRUNCATED in part and starts_alike


@pytest.fixture(params=["pydantic_core", "json"], autouse=True)
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both encoders: the fast one is available only where a model SDK imported it."""
    if request.param == "json":
        monkeypatch.delitem(sys.modules, "pydantic_core", raising=False)


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_they_are_encoded_as_if_they_were_converted(text: str, kind: tuple[Any, Any]) -> None:
    role, reason = kind
    sources: list[Source] = [("system", "be kind", None), (role, text, reason)]
    expected = encode(Items(sources, converted), 100_000)
    assert encode(Items(sources, converted, as_text), 100_000) == expected
    for budget in {expected.size - 1, expected.size, expected.size // 2, 60, 0}:
        made = encode(Items(sources, converted, as_text), budget)
        as_built = encode(Items(sources, converted), budget)
        assert made in (expected, as_built) or is_fuller(made, as_built)
        assert made.size == len(made.text.encode()) <= budget


@pytest.mark.parametrize("text", ["", *TEXTS.values()], ids=["empty", *TEXTS])
def test_a_part_of_text_is_encoded_as_any_other(text: str) -> None:
    for part in ({"type": "text", "content": text}, {"content": text, "type": "text"}):
        expected = encode(Items([part], dict), 100_000)
        assert encode([part], 100_000) == expected
        for budget in {expected.size + 100, expected.size - 1, expected.size // 2, 60, 0}:
            assert encode([part], budget) == encode(Items([part], dict), budget)


OTHERS: dict[str, Any] = {
    "call": {"type": "tool_call", "id": "1", "name": "add", "arguments": {"a": [1, 2.5, None]}},
    "date": {"type": "text", "content": date(2026, 1, 2)},
    "number": {"type": "generic", "generic_type": "x", "value": math.nan},
    "data": {"type": "uri", "uri": TEXTS["data"]},
    "surrogate": {"type": "reasoning", "content": TEXTS["surrogate"]},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_others_are_converted(other: Any) -> None:
    sources: list[Any] = [("user", "hi", None), other, ("assistant", "ho", "stop")]

    def convert(source: Any) -> Any:
        if isinstance(source, tuple):
            return converted(cast(Source, source))
        return {"role": "assistant", "parts": [source]}

    def text_of(source: Any) -> TextMessage | None:
        return cast(TextMessage, source) if isinstance(source, tuple) else None

    expected = encode(Items(sources, convert), 10_000)
    assert encode(Items(sources, convert, text_of), 10_000) == expected
    for budget in (expected.size - 1, expected.size // 2, 0):
        made = encode(Items(sources, convert, text_of), budget)
        assert made == encode(Items(sources, convert), budget)


def test_those_that_fit_are_not_converted() -> None:
    made = encode(Items([("user", "hi", None)], pytest.fail, as_text), 1000)
    assert made.structure() == [converted(("user", "hi", None))]


@pytest.mark.parametrize("seed", range(8))
def test_the_newest_of_a_long_history_are_as_if_all_were_converted(seed: int) -> None:
    chosen = random.Random(seed)
    truncated_at_once = 0
    for _ in range(100):
        sources, budget = _history(chosen), chosen.randrange(100, 5000)
        expected = encode(Items(sources, _convert), budget)
        converted_items: list[Any] = []
        made = encode(
            Items(sources, partial(_convert, converted_items=converted_items), _text_of), budget
        )
        assert made == expected or is_fuller(made, expected)
        if made.original_bytes is not None:
            truncated_at_once += not any(isinstance(source, tuple) for source in converted_items)
    assert truncated_at_once > 10


LONG = {
    "ascii": "Lorem ipsum " * 2000,
    "lines": "Lorem ipsum\n" * 2000,
    "code": "def add(a, b):\n    return a + b\n" * 1000,
    "backslashes": "\\" * 20_000,
    "escapes": '"\n\\\\\x01\\u' * 8000,
    "escapes at the end": "x" * 4000 + "\x01" * 20_000,
    "umlauts": "größe 🙂\x01" * 4000,
    "surrogate": "broken \ud800 text" * 2000,
}


@pytest.mark.parametrize("before", [[], [Named("system", "be kïnd")]], ids=["alone", "after"])
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_of_one_text_that_does_not_fit_the_start_is_kept_as_far_as_the_budget_goes(
    text: str, before: list[Source]
) -> None:
    sources = Items([*before, Named("assistant", text, "stop")], pytest.fail, as_text)
    valid = text.encode("utf-8", "replace").decode()
    original = len(valid.encode())
    whole = encode(Items([*before, ("user", "x" * original, "stop")], converted), 10**6)
    for budget in range(2000, 2012):
        made = encode(sources, budget)
        *others, message = made.structure()
        part = message["parts"][0]
        assert others == [converted(source) for source in before]
        assert message == {"role": "assistant", "parts": [part], "finish_reason": "stop"}
        assert part == {
            "type": "text",
            "content": valid[: len(part["content"])],
            "otel_agents.truncated": True,
            "otel_agents.original_bytes": original,
        }
        character = len(dump(valid[len(part["content"])])) - 2
        assert budget - character < made.size == len(made.text.encode()) <= budget
        assert made.original_bytes == whole.size + len("assistant") - len("user")


NEWEST = {
    "as large as the budget": ("x" * 4900, 5000),
    "larger if it were as its start": ("🙂" * 4096 + "x" * 4096, 25_000),
    "a data URL": ("data:image/png;base64," + "QUJD" * 2000, 5000),
}


@pytest.mark.parametrize(("text", "budget"), NEWEST.values(), ids=NEWEST)
def test_the_newest_is_whole_if_it_fits_alone(text: str, budget: int) -> None:
    sources: list[Source] = [("user", "y" * budget, None), ("user", text, None)]
    expected = encode(Items(sources, converted), budget)
    made = encode(Items(sources, converted, as_text), budget)
    assert made == expected
    assert TRUNCATED not in made.structure()[-1]["parts"][0]


@pytest.mark.parametrize("text_of", [_text_of, None], ids=["text", "converted"])
@pytest.mark.parametrize(
    "newest", ["a\n" * 1900, "\n" * 3000, "\x01" * 4000], ids=["lines", "empty lines", "controls"]
)
def test_instructions_stay_if_the_newest_fits_but_for_its_escapes(
    newest: str, text_of: Any
) -> None:
    system = {"role": "system", "content": [1, None]}
    for before in ([Named("system", "be kind")], [system], [system, Named("user", "earlier")]):
        sources = [*before, Named("user", newest)]
        made = encode(Items(sources, _convert, text_of), 5000).structure()
        assert made[0] == _convert(before[0])
        part = made[-1]["parts"][0]
        assert newest.startswith(part["content"])
        assert part[TRUNCATED]


def test_what_the_newest_displaces_counts_as_original() -> None:
    sources: list[Source] = [("user", "y" * 10_000, None), ("user", "x" * 10_000, None)]
    made = encode(Items(sources, converted, as_text), 1000)
    assert made.size == 1000
    assert made.original_bytes == pytest.approx(encode(sources, 10**6).size, abs=100)


def test_of_no_messages_nothing_is_left() -> None:
    assert encode(Items([], converted, as_text), 1000) == encode([], 1000)


def _history(chosen: random.Random) -> list[Any]:
    """Return instructions, texts and results of tools; most texts are as usual."""
    texts = [*TEXTS.values(), *([TEXTS["long"], TEXTS["umlauts"]] * 20)]
    sources: list[Any] = [{"role": "system", "content": "be kind"}] * chosen.randrange(3)
    for _ in range(chosen.randrange(1, 9)):
        role, reason = chosen.choice([*KINDS, *([("user", None), ("assistant", "stop")] * 20)])
        sources.append(
            (role, chosen.choice(texts)[: chosen.randrange(1, chosen.choice((30, 2500)))], reason)
        )
    if chosen.random() < 0.3:
        sources.insert(chosen.randrange(len(sources)), {"role": "tool", "content": [1, None]})
    return sources


def _convert(source: Any, converted_items: list[Any] | None = None) -> Any:
    if converted_items is not None:
        converted_items.append(source)
    if isinstance(source, tuple):
        return converted(cast(Source, source))
    return {"role": source["role"], "parts": [{"type": "generic", "value": source["content"]}]}
