"""Libraries' own switches of content, which follow ours unless the user has decided.

Content is removed before it is exported in any case (`telemetry`). These switches
spare the libraries the work, and keep it from the application's own processors. They are set in the
library and not in the environment, where other libraries read the same variables.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MappingProxyType, ModuleType
from typing import Any, Final

from opentelemetry import trace
from wrapt import register_post_import_hook

from otel_agents.distro.environment import DISABLED_INSTRUMENTATIONS, Environment
from otel_agents.instrumentors.hosting import guarded
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr

__all__ = ["set_content_switches"]

_OPT_IN: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"
_LATEST: Final = "gen_ai_latest_experimental"
_REDACTED: Final = "gen_ai_unredacted_attributes="


def set_content_switches() -> None:
    """Set the switches of the libraries below, when the application imports them."""
    disabled = {*Environment().listed(DISABLED_INSTRUMENTATIONS)}
    for name, (module, switch) in _SWITCHES.items():
        if not {"*", name} & disabled:
            hook = guarded(f"setting the content switch of {name}")(switch)
            register_post_import_hook(hook, module)


def _switch_strands(module: ModuleType) -> None:
    """Choose the latest conventions, and redaction where content is disabled."""
    kind: Any = module.__dict__["Tracer"]
    original: Callable[[Any], set[str]] | None = getattr(kind, "_parse_semconv_opt_in", None)
    if original is None:  # earlier versions have no switch
        return

    @functools.wraps(original)
    def parse(tracer: Any) -> set[str]:
        if Environment().text(_OPT_IN) is not None:
            return original(tracer)
        on = Settings.read().capture.on_span
        return {_LATEST} if on else {_LATEST, _REDACTED}

    kind._parse_semconv_opt_in = parse


def _switch_litellm(module: ModuleType) -> None:
    """Have the callback ``otel`` follow our setting, which it reads only where it is set."""
    kind: Any = module.__dict__["OpenTelemetry"]
    original: Any = getattr(kind, "_compute_capture_mode_from_init_state", None)
    if original is None:
        return

    @functools.wraps(original)
    def compute(callback: Any) -> Any:
        decided = original(callback)
        # Its subclasses send to vendors, and with a provider of its own it sends elsewhere.
        exports_with_ours = (
            type(callback) is kind
            and getattr(callback, "_tracer_provider", None) is trace.get_tracer_provider()
        )
        if decided is not None or not exports_with_ours:
            return decided
        return Settings.read().capture.value

    kind._compute_capture_mode_from_init_state = compute
    _name_operations(kind)


def _name_operations(kind: Any) -> None:
    """Have the callback name the operation of a model call, which it does only with its content."""
    original: Callable[..., None] = kind.set_attributes
    name_of: Callable[[Any], str] | None = getattr(kind, "_gen_ai_operation_name", None)
    if name_of is None:
        return

    @functools.wraps(original)
    def set_attributes(callback: Any, span: Any, kwargs: Any, response_obj: Any) -> None:
        original(callback, span, kwargs, response_obj)
        known: Any = getattr(span, "attributes", None) or ()
        if attr.GEN_AI_REQUEST_MODEL in known and attr.GEN_AI_OPERATION_NAME not in known:
            span.set_attribute(attr.GEN_AI_OPERATION_NAME, name_of(kwargs))

    kind.set_attributes = set_attributes


_SWITCHES: Final = MappingProxyType(
    {
        "litellm": ("litellm.integrations.opentelemetry", _switch_litellm),
        "strands": ("strands.telemetry.tracer", _switch_strands),
    }
)
"""By the plain name of the library: the module that has the switch, and what sets it."""
