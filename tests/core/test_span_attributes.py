"""Attributes that are stored at once are those that the span's own method sets, under its limits."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterator
from functools import partialmethod
from types import FrameType, FunctionType
from typing import Any

import pytest
import wrapt
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, TracerProvider
from opentelemetry.trace import INVALID_SPAN

from otel_agents.instrumentors._core.telemetry.span_attributes import own_method, set_attributes


class Color(str, enum.Enum):
    RED = "red"


class Unprintable:
    __slots__ = ()


PLAIN: dict[str, Any] = {
    "a": "text",
    "b": True,
    "c": 7,
    "d": 0.5,
    "e": ("x", "y"),
    "f": (),
    "g": "",
}
GIVEN: dict[str, dict[Any, Any]] = {
    "plain": PLAIN,
    "none": {},
    "of the start": {"start": "new", "a": 1},
    "huge integer": {"a": 2**70},
    "not a number": {"a": float("inf")},
    "surrogate": {"a": "\ud800"},
    "null": {"a": None, "b": 1},
    "list": {"a": ["x", "y"], "b": 1},
    "tuple of numbers": {"a": (1, 2), "b": 1},
    "mixed tuple": {"a": ("x", 1), "b": 1},
    "tuple with list": {"a": ("x", ["y"]), "b": 1},
    "tuple with null": {"a": ("x", None), "b": 1},
    "nested": {"a": {"b": [1]}, "b": 1},
    "bytes": {"a": b"x", "b": b"\xff"},
    "enum": {"a": Color.RED, "b": (Color.RED,)},
    "object": {"a": object(), "b": Unprintable()},
    "empty key": {"": 1, "b": 1},
    "number as key": {3: 1, "b": 1},
    "enum as key": {Color.RED: 1, "b": 1},
}
LIMITS = {
    "none": {},
    "few": {"max_span_attributes": 3},
    "just enough": {"max_span_attributes": len(PLAIN) + 1},
    "one": {"max_span_attributes": 1},
    "no attributes": {"max_span_attributes": 0},
    "short": {"max_span_attribute_length": 2},
}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Forget how the methods of the classes were."""
    own_method.cache_clear()
    yield
    own_method.cache_clear()


def started(**limits: int) -> Span:
    tracer = TracerProvider(span_limits=SpanLimits(**limits)).get_tracer("tests")
    span = tracer.start_span("span", attributes={"start": "old"})
    assert isinstance(span, Span)
    return span


def recorded(span: ReadableSpan) -> Any:
    found = dict(span.attributes or {})
    texts = {key: str(value) if type(value) is object else value for key, value in found.items()}
    return texts, span.dropped_attributes, {key: type(value) for key, value in found.items()}


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_the_span_has_what_its_method_sets(given: dict[Any, Any], limits: dict[str, int]) -> None:
    ours, expected = started(**limits), started(**limits)
    for _ in range(2):
        set_attributes(ours, dict(given))
        expected.set_attributes(dict(given))
        assert recorded(ours) == recorded(expected)
    ours.end()
    set_attributes(ours, {"late": 1})
    expected.end()
    assert recorded(ours) == recorded(expected)


def test_what_is_stored_is_not_cleaned_one_by_one() -> None:
    span, called = started(), list[str]()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(str(frame.f_globals["__name__"]))

    set_attributes(span, PLAIN)
    sys.setprofile(note)
    try:
        set_attributes(span, PLAIN)
    finally:
        sys.setprofile(None)
    assert "opentelemetry.attributes" not in called


def test_what_is_given_may_change_later() -> None:
    given, span = dict(PLAIN), started()
    set_attributes(span, given)
    given["a"] = "changed"
    assert (span.attributes or {})["a"] == "text"


def _redacted(_: Any, attributes: dict[str, Any]) -> None:
    raise AssertionError(attributes)


@pytest.mark.parametrize("at_first", [True, False])
def test_a_replaced_method_is_called(at_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    span = started()
    if not at_first:
        set_attributes(span, {"a": 1})
    monkeypatch.setattr(Span, "set_attributes", _redacted)
    with pytest.raises(AssertionError):
        set_attributes(span, {"a": 2})


def _otherwise(_: Any, attributes: dict[str, Any]) -> None:
    raise AssertionError(attributes)


def test_a_method_of_the_sdk_that_is_built_otherwise_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    otherwise = FunctionType(_otherwise.__code__, vars(sys.modules["opentelemetry.sdk.trace"]))
    monkeypatch.setattr(Span, "set_attributes", otherwise)
    with pytest.raises(AssertionError):
        set_attributes(started(), {"a": 1})


def test_a_wrapped_method_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def note(wrapped: Any, _: Any, args: Any, kwargs: Any) -> None:
        given.append(args)
        wrapped(*args, **kwargs)

    span, given = started(), list[Any]()
    set_attributes(span, {"a": 1})
    monkeypatch.setattr(Span, "set_attributes", wrapt.FunctionWrapper(Span.set_attributes, note))
    set_attributes(span, {"a": 2})
    assert given == [({"a": 2},)]
    assert (span.attributes or {})["a"] == 2


@pytest.mark.parametrize("at_first", [True, False])
def test_a_partial_method_is_called(at_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    span = started()
    if not at_first:
        set_attributes(span, {"a": 1})
    monkeypatch.setattr(Span, "set_attributes", partialmethod(_redacted))
    with pytest.raises(AssertionError):
        set_attributes(span, {"a": 2})


def test_the_method_of_one_span_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    span, given = started(), list[Any]()
    monkeypatch.setattr(span, "set_attributes", given.append)
    set_attributes(span, {"a": 1})
    assert given == [{"a": 1}]


def test_other_spans_get_their_method_called() -> None:
    set_attributes(INVALID_SPAN, {"a": 1})

    class Other(Span):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return object.__new__(cls)

        def set_attributes(self, attributes: Any) -> None:
            given.append(attributes)

    given = list[Any]()
    set_attributes(Other("other", started().get_span_context()), {"a": 1})  # pyright: ignore
    assert given == [{"a": 1}]
