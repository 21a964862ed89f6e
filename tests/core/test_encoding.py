"""Encoded content: always valid JSON, always within its budget, the newest kept."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from otel_agents.instrumentors._core.encoding import Encoded, Items, encode, encode_text, measure


@pytest.fixture(params=["pydantic_core", "json"], autouse=True)
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both encoders: the fast one is there only where a model SDK brought it."""
    if request.param == "pydantic_core":
        pytest.importorskip("pydantic_core")
    else:
        monkeypatch.delitem(sys.modules, "pydantic_core", raising=False)


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def test_what_fits_is_encoded_whole() -> None:
    value = [message('quotes " and \\ and ü and 🙂')]
    encoded = encode(value, 1000)
    assert encoded.original_bytes is None
    assert json.loads(encoded.text) == value


AWKWARD: dict[str, tuple[Any, Any]] = {
    "nan": ([float("nan"), float("inf"), 1.5], [None, None, 1.5]),
    "foreign": ([object], ["<type>"]),
    "keys": ({1: "one", None: "none"}, None),
    "surrogate": (["a\ud800b"], ["a?b"]),
    "bytes": ([1, True, None, "x"], [1, True, None, "x"]),
}


@pytest.mark.parametrize(("value", "expected"), AWKWARD.values(), ids=AWKWARD)
def test_what_json_cannot_hold_is_replaced(value: Any, expected: Any) -> None:
    decoded = json.loads(encode(value, 1000).text)
    if expected is not None:
        assert decoded == expected


def test_cycles_and_depth_end() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    deep: Any = "end"
    for _ in range(5000):
        deep = [deep]
    for value in (cycle, deep):
        text = encode(value, 10_000).text
        assert len(text.encode()) <= 10_000
        json.loads(text)


TEXTS = {
    "ascii": "x" * 5000,
    "umlauts": "ü" * 5000,
    "emoji": "🙂" * 5000,
    "escapes": '"\\\n\x01' * 2000,
    "surrogates": "a\ud800" * 3000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("budget", [300, 1000, 2500])
@pytest.mark.parametrize("lazy", [False, True])
def test_the_budget_holds_whatever_the_text(text: str, budget: int, lazy: bool) -> None:
    value = [message(text, "system"), *(message(f"{n} {text}") for n in range(5))]
    encoded = encode(Items(value, dict) if lazy else value, budget)
    assert len(encoded.text.encode()) <= budget
    assert isinstance(json.loads(encoded.text), list)
    assert encoded.original_bytes is not None
    assert encoded.original_bytes > 5 * 5000


def test_the_newest_messages_and_the_system_message_are_kept() -> None:
    value = [message("rules", "system"), *(message(f"{n} " + "x" * 100) for n in range(50))]
    kept = json.loads(encode(Items(value, dict), 1000).text)
    assert kept[0] == value[0]
    assert kept[-3:] == value[-3:]
    assert len(kept) < len(value)


def test_messages_beyond_the_budget_are_not_even_converted() -> None:
    converted: list[int] = []

    def convert(number: int) -> dict[str, Any]:
        converted.append(number)
        return message("x" * 100)

    encode(Items(range(100_000), convert), 1000)
    assert len(converted) < 20
    assert converted[0] == 99_999


def test_a_cut_string_is_marked_beside_it() -> None:
    value = [message("x" * 5000)]
    (kept,) = json.loads(encode(value, 1000).text)
    (part,) = kept["parts"]
    assert part["type"] == "text"
    assert set(part["content"]) == {"x"}
    assert (part["otel_agents.truncated"], part["otel_agents.original_bytes"]) == (True, 5000)
    assert encode(value, 1000).original_bytes == measure(value)


def test_plain_text_is_cut_between_characters() -> None:
    assert encode_text("üü", 3) == Encoded("ü", 4, is_json=False)
    assert encode_text("ok", 3) == Encoded("ok", None, is_json=False)
    assert encode_text("üü", 3).structure() == "ü"
