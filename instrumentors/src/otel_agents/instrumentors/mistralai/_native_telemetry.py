"""The SDK's own spans: silenced for what is recorded here, unless they are preferred.

It has three kinds, all with content. Those of requests go to the application's provider with
``MISTRAL_SDK_TELEMETRY=global``, and in versions before 2.5 whenever there is one. A client with a
provider of its own (``dedicated``, or the application's) keeps them. Those of runs and of their
tools are created always.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.sending import sender
from otel_agents.instrumentors._core.patching.native import NativeTelemetry, SilentTracer
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from mistralai.client.basesdk import BaseSDK
    from mistralai.client.sdkconfiguration import SDKConfiguration

__all__ = [
    "native_records",
    "silence_request",
    "silence_runs",
    "silence_tools",
]

_SETTING: Final = "MISTRAL_SDK_TELEMETRY"
_GLOBAL: Final = "global"
_TELEMETRY: Final = "mistralai.extra.observability.telemetry"
_NATIVE: Final = NativeTelemetry("mistralai", f"the SDK's own telemetry ({_SETTING})")


def silence_request(telemetry: Telemetry, call: Call, made: tuple[bool, Any]) -> tuple[bool, Any]:
    """Disable the tracer of ``get_or_create_otel_tracer`` for a request of an operation."""
    enabled, tracer = made
    has_own_provider = call.argument(0, "provider") is not None
    if not enabled or has_own_provider or sender() is None:
        return made
    _NATIVE.is_preferred(telemetry)  # logs that it is silenced: otherwise there were no operation
    return False, tracer


def native_records(telemetry: Telemetry, resource: BaseSDK) -> bool:
    """Return whether the SDK records the requests of a client, where the setting prefers it."""
    return _is_enabled(resource.sdk_configuration) and _NATIVE.is_preferred(telemetry)


def _is_enabled(configuration: SDKConfiguration) -> bool:
    """Return whether the SDK's spans of requests go to the application's provider."""
    hooks: Any = vars(configuration).get("_hooks")
    known: list[Any] = getattr(hooks, "before_request_hooks", [])
    hook = next((one for one in known if type(one).__name__ == "TracingHook"), None)
    if hook is None:  # before 1.10
        return False
    uses_global = getattr(hook, "_telemetry_use_global_provider", None)
    if uses_global is None:  # up to 2.4
        return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    return uses_global or (hook.tracer_provider is None and _requested(configuration) == _GLOBAL)


def _requested(configuration: SDKConfiguration) -> str | None:
    """Return what the first request will enable, as the SDK reads it."""
    resolve = getattr(sys.modules.get(_TELEMETRY), "_resolve_mistral_telemetry_env", None)
    try:
        return getattr(configuration, "telemetry", None) or (resolve() if resolve else None)
    except RuntimeError:  # an invalid value, for which the SDK will raise
        return None


def silence_runs(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    """Silence the spans around a run, which the module's ``tracer`` creates."""
    return _replace(module, "tracer", SilentTracer())


class _SilentTrace(ModuleType):
    """``opentelemetry.trace`` for one module, whose tracer starts no span."""

    def __getattr__(self, name: str) -> Any:
        return getattr(trace, name)

    def get_tracer(self, *_: object, **__: object) -> SilentTracer:
        """Return a tracer that starts no span."""
        return SilentTracer()


def silence_tools(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    """Silence the span of each tool of a run."""
    return _replace(module, "trace", _SilentTrace(trace.__name__))


def _replace(module: ModuleType, name: str, ours: object) -> Callable[[], None]:
    theirs: Any = getattr(module, name)
    setattr(module, name, ours)

    def restore() -> None:
        if getattr(module, name) is ours:
            setattr(module, name, theirs)

    return restore
