"""What of a context crosses to another process: the trace, the baggage, the identities."""

from __future__ import annotations

import dataclasses
import pickle
from types import MappingProxyType
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import Context, attach, detach, get_current, set_value
from opentelemetry.instrumentation.utils import is_instrumentation_enabled, suppress_instrumentation

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context import portable
from otel_agents.instrumentors._core.context.agents import AgentScope
from otel_agents.instrumentors._core.context.portable import carry_to_process
from otel_agents.instrumentors._core.context.scope import (
    Scope,
    conversation_id,
    scope_of,
    with_conversation_id,
    with_scope,
)

SPAN = trace.SpanContext(
    trace_id=7,
    span_id=8,
    is_remote=False,
    trace_flags=trace.TraceFlags(1),
    trace_state=trace.TraceState([("vendor", "x")]),
)


def seen() -> dict[str, Any]:
    """Return what the current context holds."""
    span, scope = trace.get_current_span().get_span_context(), scope_of()
    return {
        "trace": (span.trace_id, span.span_id, int(span.trace_flags), span.is_remote),
        "state": dict(span.trace_state),
        "baggage": dict(baggage.get_all()),
        "conversation": conversation_id(),
        "user": scope.user_id,
        "session": scope.session_id,
        "agent": scope.agent and scope.agent.name,
        "content": scope.records_content,
        "tags": scope.tags,
        "identity": scope.identity,
        "suppressed": not is_instrumentation_enabled(),
        "claims": (scope.inference, scope.embeddings, scope.tool, scope.foreign_span),
    }


EMPTY: dict[str, Any] = {
    "trace": (0, 0, 0, False),
    "state": {},
    "baggage": {},
    "conversation": None,
    "user": None,
    "session": None,
    "agent": None,
    "content": True,
    "tags": None,
    "identity": None,
    "suppressed": False,
    "claims": (None, None, None, False),
}


def crossed(context: Context) -> dict[str, Any]:
    """Return what a function sees that was carried out of ``context``, after pickling."""
    token = attach(context)
    try:
        carried = pickle.dumps(carry_to_process(seen))
    finally:
        detach(token)
    token = attach(set_value("own", "the worker's", Context()))
    try:
        before = get_current()
        found = pickle.loads(carried)()
        assert get_current() is before
        return found
    finally:
        detach(token)


def test_the_trace_the_baggage_and_the_identities_cross() -> None:
    context = trace.set_span_in_context(trace.NonRecordingSpan(SPAN), Context())
    context = baggage.set_baggage("tenant", "Ådal, 1", context)
    context = with_scope(
        with_conversation_id("c1", context),
        user_id="ada",
        session_id="s1",
        agent=AgentScope("clerk"),
        records_content=False,
        tags=MappingProxyType({"tag": "a"}),
        identity={"user.id": "ada"},
    )
    assert crossed(context) == {
        "trace": (7, 8, 1, True),
        "state": {"vendor": "x"},
        "baggage": {"tenant": "Ådal, 1"},
        "conversation": "c1",
        "user": "ada",
        "session": "s1",
        "agent": "clerk",
        "content": False,
        "tags": {"tag": "a"},
        "identity": {"user.id": "ada"},
        "suppressed": False,
        "claims": (None, None, None, False),
    }


def test_each_value_of_a_scope_is_shown_here() -> None:
    """One that is added must be decided about: it crosses, or it is an object of its process."""
    assert {field.name for field in dataclasses.fields(Scope)} == {
        *("conversation_id", "user_id", "session_id", "agent", "records_content", "tags"),
        *("identity", "inference", "embeddings", "tool", "foreign_span", "foreign"),
    }


def test_an_empty_context_crosses_too() -> None:
    """A worker may have inherited another one when it was forked."""
    assert crossed(Context()) == EMPTY


def test_suppressed_instrumentation_stays_suppressed() -> None:
    with suppress_instrumentation():
        assert crossed(get_current()) == {**EMPTY, "suppressed": True}
    assert is_instrumentation_enabled()


def test_each_call_runs_in_the_context_and_leaves_it() -> None:
    token = attach(with_scope(Context(), user_id="ada"))
    carried = carry_to_process(int)
    detach(token)
    before = get_current()
    assert [carried("ff", base=16), carried("7")] == [255, 7]
    with pytest.raises(ValueError, match="invalid literal"):
        carried("x")
    assert get_current() is before


def test_what_does_not_pickle_fails_as_before() -> None:
    def local() -> None: ...

    def error(value: object) -> tuple[type[BaseException], str]:
        with pytest.raises((AttributeError, pickle.PicklingError)) as raised:
            pickle.dumps(value)
        return raised.type, str(raised.value)

    assert error(carry_to_process(local)) == error(local)


@pytest.mark.parametrize("name", ["_portable", "_restored"])
def test_a_failure_of_ours_leaves_the_call_as_it_was(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())

    def fail(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(portable, name, fail)
    assert carry_to_process(int)("ff", base=16) == 255
