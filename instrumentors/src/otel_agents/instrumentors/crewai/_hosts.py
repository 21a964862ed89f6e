"""The host to which a model class sends, by its SDK's client."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.servers import server_of

__all__ = ["host_of"]

_PATHS: Final = (
    ("base_url",),  # OpenAI, Anthropic
    ("meta", "endpoint_url"),  # Bedrock
    ("_config", "endpoint"),  # Azure
    ("_api_client", "_http_options", "base_url"),  # Gemini
)


def host_of(client: Any) -> tuple[str, int] | None:
    """Return address and port of ``client``; None where it exposes none."""
    for path in _PATHS:
        found = client
        for name in path:
            found = getattr(found, name, None)
        if found:
            return server_of(found)
    return None
