"""Pydantic AI's telemetry is enabled for the agents whose application does not decide.

What an application sets wins, as it does over the library's own default: ``Agent.instrument_all``,
an agent's ``instrument``, or a model that it has wrapped.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.patching.patches import Registration

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["rows"]

_MODULE: Final = "pydantic_ai.models.instrumented"
_EARLY: Final = 1
"""The first format, whose messages are not in the attributes of the conventions."""


def rows() -> Iterable[Row]:
    """Yield the registration of our default."""
    # Not of `pydantic_ai.agent`: its settings need the package to be imported completely.
    yield Registration("pydantic_ai", enable, since="0.0.34")


def enable(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    """Set the default of all agents; return what restores it."""
    agent: Any = module.Agent
    before = agent._instrument_default
    if before is not False:  # the application was first
        return _nothing
    ours = _settings(telemetry)
    agent.instrument_all(ours)

    def restore() -> None:
        if agent._instrument_default is ours:
            agent.instrument_all(before)

    return restore


def _settings(telemetry: Telemetry) -> Any:
    """Return the library's settings, with content as ours says, as far as a version has that."""
    kind: Any = sys.modules[_MODULE].__dict__["InstrumentationSettings"]
    known = inspect.signature(kind).parameters
    content = telemetry.settings.capture.on_span
    given: dict[str, Any] = {
        **telemetry.providers,
        "include_content": content,
        "include_binary_content": False,  # as in our spans, media are not inlined
        "include_model_request_parameters": content,
    }
    version = known.get("version")
    if version is not None and version.default == _EARLY:
        given["version"] = _EARLY + 1
    return kind(**{name: value for name, value in given.items() if name in known})


def _nothing() -> None:
    """Restore nothing."""
