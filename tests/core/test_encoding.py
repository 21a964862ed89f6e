"""Encoded content: always valid JSON, always within its budget, the newest items kept."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pydantic
import pytest

from otel_agents.instrumentors._core.encoding.encoded import (
    Encoded,
    Items,
    encode,
    encode_text,
    encode_texts,
)
from otel_agents.instrumentors._core.encoding.plain import json_copy


@pytest.fixture(params=["pydantic_core", "json"], autouse=True)
def encoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both encoders: the fast one is available only where a model SDK imported it."""
    if request.param == "json":
        monkeypatch.delitem(sys.modules, "pydantic_core", raising=False)


def message(text: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


def decoded(encoded: Encoded) -> Any:
    assert len(encoded.text.encode()) == encoded.size
    return json.loads(encoded.text, parse_constant=no_constant)


def test_a_value_that_fits_is_encoded_completely_and_compactly() -> None:
    value = [message('quotes " and \\ and ü and 🙂')]
    encoded = encode(value, 1000)
    assert encoded.original_bytes is None
    assert decoded(encoded) == encoded.structure() == value
    assert encoded.text == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Colour(str, Enum):
    RED = "red"


class Level(Enum):
    HIGH = 3


@dataclass
class Point:
    x: int
    y: Any
    secret: str = field(default="hidden", repr=False)


class Silent:
    def __str__(self) -> str:
        raise ValueError("no text")


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another text"


PNG = b"\x89PNG"
ZEROS = hashlib.sha256(bytes(30)).hexdigest()
KEPT = {"otel_agents.bytes": 4, "otel_agents.sha256": hashlib.sha256(PNG).hexdigest()}
AWKWARD: dict[str, tuple[Any, Any]] = {
    "not a number": ([math.nan, math.inf, -math.inf, 1.5], [None, None, None, 1.5]),
    "type": ([object], ["<type>"]),
    "object": ([object(), Silent()], ["<object>", "<Silent>"]),
    "keys": (
        {1: "a", None: "b", False: "c", 1.5: "d", (2,): "e", "f": 0},
        {"1": "a", "None": "b", "False": "c", "1.5": "d", "<tuple>": "e", "f": 0},
    ),
    "surrogate": (["a\ud800b", {"\udfff": 1}], ["a?b", {"?": 1}]),
    "scalars": ([1, True, None, "x"], [1, True, None, "x"]),
    "data": ([PNG, bytearray(PNG), memoryview(PNG)], [KEPT, KEPT, KEPT]),
    "enum": ([Colour.RED, Level.HIGH], ["red", 3]),
    "string of another class": ([Text("mine")], ["mine"]),
    "dataclass": ([Point(1, [PNG])], [{"x": 1, "y": [KEPT]}]),
    "set": ([{1}, frozenset(["a"])], [[1], ["a"]]),
    "dates": (
        [date(2026, 1, 2), datetime(2026, 1, 2, 3, tzinfo=timezone.utc)],
        ["2026-01-02", "2026-01-02T03:00:00+00:00"],
    ),
    "texts": (
        [Decimal("1.50"), PurePosixPath("/a"), UUID(int=1)],
        ["1.50", "/a", str(UUID(int=1))],
    ),
    "large numbers": (
        [2**63 - 1, 2**63, -(2**70), 10**5000],
        [2**63 - 1, str(2**63), str(-(2**70)), "<int>"],
    ),
    "data URL": (
        ["data:image/png;base64," + "A" * 40, "data: the text", "data:,x"],
        [
            f"data:image/png;otel_agents.bytes=30;otel_agents.sha256={ZEROS},",
            "data: the text",
            "data:,x",
        ],
    ),
}


@pytest.mark.parametrize(("value", "expected"), AWKWARD.values(), ids=AWKWARD)
def test_what_json_cannot_hold_is_replaced(value: Any, expected: Any) -> None:
    encoded = encode(value, 2000)
    assert decoded(encoded) == expected
    assert encoded.original_bytes is None
    assert json_copy(value) == expected


def test_a_data_url_is_never_inline() -> None:
    url = "data:image/png;base64," + "QUFB" * 20
    call = {"type": "tool_call", "name": "n", "arguments": {"image": url, "more": [url]}}
    for parts in (
        [{"type": "text", "content": url}],
        [call],
        [call, {"type": "text", "content": url}],
    ):
        for given in ([{"role": "user", "parts": parts}], {"parts": parts}):
            assert "QUFB" not in encode(given, 5000).text
            assert "otel_agents.bytes=60" in encode(given, 5000).text


def test_a_data_url_with_a_lone_surrogate_is_replaced() -> None:
    for url in ("data:text/plain," + "a" * 40 + "\ud83d", "data:;base64," + "QUFB" * 10 + "\ud83d"):
        (kept,) = decoded(encode([message(url)], 5000))
        assert "otel_agents.bytes=41;" in kept["parts"][0]["content"]


def test_a_placeholder_is_not_taken_for_data_if_the_rest_is_invalid() -> None:
    url = "data:text/plain," + "text" * 10
    given = [{"role": "user", "parts": [{"type": "text", "content": it}]} for it in (url, "\ud800")]
    first, second = decoded(encode(given, 5000))
    assert "otel_agents.bytes=40;" in first["parts"][0]["content"]
    assert second["parts"][0]["content"] == "?"
    assert encode(first, 5000).text == encode(given[0], 5000).text


def test_only_public_fields_of_a_model_are_encoded() -> None:
    class Model(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        name: str
        data: bytes
        password: pydantic.SecretStr
        excluded: str = pydantic.Field(default="no", exclude=True)

    given: dict[str, Any] = {"name": "n", "data": PNG, "password": "s3cret", "further": [1]}
    model = Model(**given)
    expected = {"name": "n", "data": KEPT, "password": "<SecretStr>", "further": [1]}
    assert decoded(encode({"a": model}, 1000)) == {"a": expected}
    assert json_copy({"a": model}) == {"a": expected}


def nested(depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = {"k": leaf}
    return leaf


def test_cycles_and_depth_end() -> None:
    cycle: list[Any] = []
    cycle += [cycle, cycle]
    for value in (cycle, nested(5000, "end"), [nested(40, [1])] * 3):
        for room in (300, 10_000):
            encoded = encode(value, room)
            assert encoded.size <= room
            assert encoded.original_bytes is not None
            assert not encoded.text or decoded(encoded) is not None
        json_copy(value)


def test_the_nesting_that_protobuf_accepts_is_kept() -> None:
    assert decoded(encode(nested(30, "end"), 1000)) == nested(30, "end")
    truncated = encode(nested(31, "end"), 1000)
    assert '"end"' not in truncated.text
    assert truncated.original_bytes is not None


TEXTS = {
    "ascii": "x" * 5000,
    "umlauts": "ü" * 5000,
    "emoji": "🙂" * 5000,
    "escapes": '"\\\n\x01' * 2000,
    "surrogates": "a\ud800" * 3000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("budget", [2, 10, 100, 300, 1000, 2500])
@pytest.mark.parametrize("lazy", [False, True])
def test_the_budget_holds_whatever_the_text(text: str, budget: int, lazy: bool) -> None:
    value = [message(text, "system"), *(message(f"{n} {text}") for n in range(5))]
    encoded = encode(Items(value, dict) if lazy else value, budget)
    assert encoded.size <= budget
    for kept in decoded(encoded) if encoded.text else ():
        assert kept["role"] in ("system", "user")
        for part in kept["parts"]:
            assert part["type"] == "text"
            assert isinstance(part["content"], str)
    assert encoded.original_bytes is not None
    assert encoded.original_bytes > 5 * 5000


def test_the_newest_messages_and_leading_system_messages_are_kept_in_order() -> None:
    rules = [message("rules", "system"), message("more", "developer")]
    value = [*rules, *(message(f"{n} " + "x" * 100) for n in range(50))]
    for given in (value, Items(value, dict)):
        kept = decoded(encode(given, 1000))
        assert kept[:2] == rules
        newest = len(kept) - 2
        assert newest >= 3
        assert kept[3:] == value[-newest + 1 :]


@pytest.mark.parametrize(
    ("text", "number", "whole"),
    [("x" * 50, 50, 4), ("\n" * 60, 5, 3)],
    ids=["too long", "too long with escapes"],
)
def test_ranked_lists_keep_their_first_items(text: str, number: int, whole: int) -> None:
    value = [{"id": str(n), "score": 1.0, "text": text} for n in range(number)]
    kept = decoded(encode(value, 500, newest=False))
    assert whole <= len(kept) < number
    assert kept[:whole] == value[:whole]


def test_messages_beyond_the_budget_are_not_even_converted() -> None:
    converted: list[int] = []

    def convert(number: int) -> dict[str, Any]:
        converted.append(number)
        return message("x" * 100)

    encoded = encode(Items(range(100_000), convert), 1000)
    assert encoded.original_bytes is not None
    assert len(converted) < 20
    assert converted[0] == 99_999


def test_a_truncated_string_is_marked_with_its_original_bytes() -> None:
    for text in ("x" * 5000, '"' * 5000):
        encoded = encode([message(text)], 1000)
        (kept,) = decoded(encoded)
        (part,) = kept["parts"]
        content = part.pop("content")
        assert part == {
            "type": "text",
            "otel_agents.truncated": True,
            "otel_agents.original_bytes": 5000,
        }
        assert text.startswith(content)
        assert 200 < len(content) < 1000
        assert encoded.original_bytes == len(
            json.dumps([message("x" * 5000)], separators=(",", ":"))
        )


UNLIKE = {"wide first": "é" * 3000 + "a" * 20_000, "narrow first": "a" * 5000 + "é" * 20_000}


@pytest.mark.parametrize("text", UNLIKE.values(), ids=UNLIKE)
@pytest.mark.parametrize("start", ["", '"\n' * 500], ids=["plain", "escapes"])
@pytest.mark.parametrize(
    "others", [[], [{"type": "uri", "uri": "http://x"}]], ids=["alone", "more"]
)
def test_a_text_whose_start_is_unlike_the_rest_is_truncated_and_kept(
    text: str, start: str, others: list[Any]
) -> None:
    """Its size is an estimate by its start."""
    parts = [{"type": "text", "content": start + text}, *others]
    encoded = encode([{"role": "user", "parts": parts}], 16_000)
    (kept,) = decoded(encoded)
    assert 11_000 < encoded.size <= 16_000
    assert (start + text).startswith(kept["parts"][0]["content"])
    assert kept["parts"][0]["otel_agents.truncated"] is True
    assert kept["parts"][1:] == others


def test_a_text_that_fits_is_kept_whole_if_its_start_is_wide() -> None:
    given = [message("é" * 4096 + "a" * 5000)]
    for value in (given, [{**given[0], "name": "n"}], Items(given, dict)):
        assert encode(value, 14_000).original_bytes is None
        assert "truncated" not in encode(value, 14_000).text


def test_texts_are_within_their_budget_if_their_start_is_narrow() -> None:
    assert encode_texts(["tag", "a" * 5000 + "é" * 5000], 12_000).text == ("tag",)


def test_small_values_survive_next_to_a_large_one() -> None:
    value = {"text": "x" * 5000, "id": "1", "rows": list(range(5000)), "ok": True}
    kept = decoded(encode(value, 700))
    assert list(kept) == [*value, "otel_agents.truncated", "otel_agents.original_bytes"]
    assert (kept["id"], kept["ok"], kept["otel_agents.original_bytes"]) == ("1", True, 5000)


def test_a_part_is_kept_with_all_its_keys_or_omitted() -> None:
    call = {"type": "tool_call", "id": "i" * 60, "name": "n" * 60, "arguments": {"a": "x" * 900}}
    for budget in range(60, 1200, 20):
        encoded = encode([{"role": "assistant", "parts": [call, call]}], budget)
        for kept in decoded(encoded) if encoded.text else ():
            assert set(kept) >= {"role", "parts"}
            for part in kept["parts"]:
                assert set(part) >= set(call)


def test_values_are_not_changed() -> None:
    value = [
        message("x" * 5000),
        {"role": "tool", "parts": [{"type": "t", "b": PNG, "n": math.nan}]},
    ]
    before = repr(value)
    encode(value, 500)
    json_copy(value)
    assert repr(value) == before


def test_the_estimate_of_the_original_size_is_close() -> None:
    value = [message("x" * (n % 50)) for n in range(3000)]
    exact = len(json.dumps(value, separators=(",", ":")))
    for given in (value, Items(value, dict)):
        original = encode(given, 1000).original_bytes
        assert original is not None
        assert abs(original - exact) < exact / 10


def test_plain_text_is_truncated_between_characters() -> None:
    assert encode_text("üü", 3) == Encoded("ü", 2, 4, is_json=False)
    assert encode_text("ok", 3) == Encoded("ok", 2, None, is_json=False)
    assert encode_text("üü", 3).structure() == "ü"
    assert encode_text("abcü", 3, end=True) == Encoded("cü", 3, 5, is_json=False)
    assert encode_text("a\ud800", 9) == Encoded("a?", 2, None, is_json=False)


def test_escapes_beyond_the_budget_are_truncated_until_they_fit() -> None:
    """What the first truncation keeps has more escapes than the whole."""
    text = "\x01" * 4000 + "a" * 40_000
    for value in (text, {"a": text, "b": text}, [{"role": "user", "parts": [{"content": text}]}]):
        encoded = encode(value, 10_000)
        assert encoded.size == len(encoded.text.encode())
        assert 2_000 < encoded.size <= 10_000
        assert "\\u0001" in json.dumps(encoded.structure())
