"""Where a model class sends to: the host of its SDK's client."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._dialects.servers import server_of

__all__ = ["host_of"]


def host_of(client: Any) -> tuple[str, int] | None:
    """Address and port; None where the client tells none.

    Of OpenAI and Anthropic, of Bedrock, of Azure, of Gemini.
    """
    for path in (
        ("base_url",),
        ("meta", "endpoint_url"),
        ("_config", "endpoint"),
        ("_api_client", "_http_options", "base_url"),
    ):
        found = client
        for name in path:
            found = getattr(found, name, None)
        if found:
            return server_of(found)
    return None
