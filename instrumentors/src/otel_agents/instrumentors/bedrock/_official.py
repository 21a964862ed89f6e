"""``opentelemetry-instrumentation-botocore``: it keeps every AWS call but those that ours records.

It decides in ``_determine_call_context`` which calls it records, with spans, events and metrics,
whether it was applied before or after ours.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.patching.native import NativeTelemetry
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._requests import RUNTIME, STARTS

__all__ = ["MODULE", "call_context", "is_preferred"]

MODULE: Final = "opentelemetry.instrumentation.botocore"
_NAME: Final = "opentelemetry-instrumentation-botocore for model calls"
_OFFICIAL: Final = NativeTelemetry("bedrock", _NAME)


def call_context(telemetry: Telemetry, call: Call) -> Any:
    """Return what ``_determine_call_context(client, args)`` does; None for what ours records."""
    context = call.proceed()
    if context is None or (context.service, context.operation) not in STARTS:
        return context
    return context if _OFFICIAL.is_preferred(telemetry) else None


def is_preferred(call: Call) -> bool:
    """Return whether theirs records a call of ``_make_api_call``, where the setting prefers it.

    It does not support knowledge bases, and nothing of Bedrock by aiobotocore.
    """
    official: Any = sys.modules.get(MODULE)
    return (
        official is not None
        and call.instance.meta.service_model.service_name == RUNTIME
        and not inspect.iscoroutinefunction(call.function)
        and official.BotocoreInstrumentor().is_instrumented_by_opentelemetry
    )
