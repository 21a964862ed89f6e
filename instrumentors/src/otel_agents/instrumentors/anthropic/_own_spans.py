"""The spans that the SDK emits itself since 1.14: those of what we record are not started.

A client with a tracer provider of its own keeps its spans. The client and its options stay as they
are: its spans are left out one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.anthropic.api import APIS
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._sdks.stainless import path_of
from otel_agents.instrumentors.settings import Prefer

if TYPE_CHECKING:
    from anthropic._base_client import BaseClient

__all__ = ["api_call_span", "are_preferred", "conversation_id", "runner_span", "silenced"]

_SILENCED: Final = Slot[bool]("anthropic-silenced", bool)
"""Whether the work in a context is recorded by us, so that the SDK's spans of it are left out."""

_PATHS: Final = tuple(APIS)


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


def silenced(telemetry: Telemetry, client: BaseClient[Any, Any], context: Context) -> Context:
    """Return ``context`` for work that we record, in which the client starts no such span."""
    provider = _options(client).get("tracer_provider")
    return _SILENCED.set(provider is None or telemetry.emits_to(provider), context)


def api_call_span(telemetry: Telemetry, call: Call) -> Any:
    """Return what ``start_api_call_span(tracer, base_url, options, …)`` does: None for no span."""
    return None if _is_recorded(call) else call.proceed()


class _Untraced:
    """Stands in for a client whose spans are left out."""

    _tracer = None


_UNTRACED: Final = _Untraced()


def runner_span(telemetry: Telemetry, call: Call) -> Any:
    """Return what ``start_tool_runner_span(client, …)`` or ``tool_use_span(client, …)`` does.

    For a run that we record, it is what it would be for a client without spans.
    """
    if _SILENCED.get():
        call.args = (_UNTRACED, *call.args[1:])
    return call.proceed()


@errors.guarded("leaving a span out", False)
def _is_recorded(call: Call) -> bool:
    # The path, since a middleware may send other requests, as for files, while we record one.
    return bool(_SILENCED.get()) and path_of(call.argument(2, "options")).endswith(_PATHS)
