"""The spans that the SDK emits itself since 1.14: those of what we record are not started.

A client with a tracer provider of its own keeps its spans. The client and its options stay as they
are: its spans are left out one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import Tracer

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.patching.isolation import IsolatedTracer
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.anthropic.api import APIS
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._sdks.stainless import path_of
from otel_agents.instrumentors.settings import Prefer
from otel_agents.semconv import attributes as attr

if TYPE_CHECKING:
    from anthropic._base_client import BaseClient

__all__ = [
    "adopt",
    "api_call_span",
    "are_kept",
    "are_preferred",
    "conversation_id",
    "runner_span",
    "silenced",
    "unmarked",
]

_SILENCED: Final = Slot[bool]("anthropic-silenced", bool)
"""Whether the SDK's spans of the work in a context, which we record, are left out, or kept."""

_PATHS: Final = tuple(APIS)
_tracer_of: Final[Callable[[BaseClient[Any, Any]], Tracer | None]] = attrgetter("_tracer")


def _options(client: BaseClient[Any, Any]) -> dict[str, Any]:
    return getattr(client, "_open_telemetry", None) or {}


def conversation_id(client: BaseClient[Any, Any]) -> str | None:
    """Return the conversation that the client's option ``open_telemetry`` names."""
    return _options(client).get("conversation_id")


def are_preferred(telemetry: Telemetry, client: BaseClient[Any, Any]) -> bool:
    """Return whether the client's own spans are enabled and preferred (``OTEL_AGENTS_PREFER``)."""
    if telemetry.settings.prefer is not Prefer.THEIRS:
        return False
    return bool(as_mapping(_options(client).get("traces")).get("enabled"))


def are_kept(telemetry: Telemetry, client: BaseClient[Any, Any]) -> bool:
    """Return whether the client has a tracer provider of its own, which keeps its spans."""
    provider = _options(client).get("tracer_provider")
    return provider is not None and not telemetry.emits_to(provider)


def silenced(telemetry: Telemetry, client: BaseClient[Any, Any], context: Context) -> Context:
    """Return ``context`` for work that we record, in which the client starts no such span."""
    return _SILENCED.set(not are_kept(telemetry, client), context)


def adopt(telemetry: Telemetry, client: BaseClient[Any, Any], operation: Operation) -> None:
    """Record ``operation`` in place of the client's own span."""
    conversation = conversation_id(client)
    if conversation is not None:
        operation.attributes.setdefault(attr.GEN_AI_CONVERSATION_ID, conversation)
    operation.context = silenced(telemetry, client, operation.context)


def unmarked(context: Context) -> Context:
    """Return ``context`` for application code that we record a call of, as a tool."""
    return _SILENCED.set(None, context)


def api_call_span(telemetry: Telemetry, call: Call) -> Any:
    """Return what ``start_api_call_span(tracer, base_url, options, …)`` does: None for no span.

    A span that the client keeps has the parent that it would have without our spans.
    """
    silenced = _SILENCED.get()
    if silenced is False:
        call.args = (IsolatedTracer(call.args[0]), *call.args[1:])
    return None if silenced and _is_recorded(call) else call.proceed()


class _Untraced:
    """Stands in for a client whose spans are left out."""

    _tracer = None


_UNTRACED: Final = _Untraced()


class _Isolated:
    """Stands in for a client that keeps its spans, which ignore our spans."""

    def __init__(self, client: BaseClient[Any, Any]) -> None:
        self._client = client
        tracer = _tracer_of(client)
        self._tracer = None if tracer is None else IsolatedTracer(tracer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def runner_span(telemetry: Telemetry, call: Call) -> Any:
    """Return what ``start_tool_runner_span(client, …)`` or ``tool_use_span(client, …)`` does.

    For a run that we record, it is what it would be for a client without spans.
    """
    silenced = _SILENCED.get()
    if silenced is not None:
        stand_in = _UNTRACED if silenced else _Isolated(call.args[0])
        call.args = (stand_in, *call.args[1:])
    return call.proceed()


@errors.guarded("leaving a span out", False)
def _is_recorded(call: Call) -> bool:
    # The path, since a middleware may send other requests, as for files, while we record one.
    return path_of(call.argument(2, "options")).endswith(_PATHS)
