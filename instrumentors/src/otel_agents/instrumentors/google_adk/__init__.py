"""Instrumentor for Google's Agent Development Kit, which traces itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["GoogleADKInstrumentor"]


class GoogleADKInstrumentor(AgentInstrumentor):
    """Completes the spans that ADK has of its model calls, and counts each call once.

    Example:
        >>> from otel_agents.instrumentors.google_adk import GoogleADKInstrumentor
        >>> instrumentor = GoogleADKInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of google.adk
        >>> # the span that ADK has of a model call is the only one from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "google_adk"
    packages = ("google.adk",)
    requires = ("google-adk >= 1.24, < 3",)
    conflicting = ("openinference-instrumentation-google-adk",)
    covers = (
        "native, completed by us: its spans of model calls, with Gemini and with LiteLLM",
        "its own agents, workflows and tools",
    )
    is_native = True

    def patches(self) -> Iterable[Patch]:
        """Return patches of what makes a model call in a span, and of what records its tokens."""
        from ._claims import rows

        return rows()
