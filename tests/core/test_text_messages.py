"""Messages of one text are encoded without being built, and just as those that are."""

from __future__ import annotations

import math
import random
import sys
from datetime import date
from functools import partial
from typing import Any, cast

import pytest

from otel_agents.instrumentors._core.encoding.encoded import Items, encode
from otel_agents.instrumentors._core.encoding.messages import TextMessage

Source = tuple[Any, Any, Any]
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
        assert made in (expected, encode(Items(sources, converted), budget))
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
        assert made == expected
        if made.original_bytes is not None:
            truncated_at_once += not any(isinstance(source, tuple) for source in converted_items)
    assert truncated_at_once > 10


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


def _text_of(source: Any) -> TextMessage | None:
    return cast(TextMessage, source) if isinstance(source, tuple) else None
