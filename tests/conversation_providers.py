"""The providers of AG2's own clients, each simulated by the scripted model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["PROVIDERS", "Provider"]


@dataclass(frozen=True)
class Provider:
    """A provider and what its spans look like.

    Attributes:
        refusal: The ``error.type`` of a request that is refused with ``status``.
        reasons: Its finish reasons for a tool call and for text.
        entry: Returns the settings of a configuration entry for a URL.
    """

    name: str
    model: str
    refusal: str
    reasons: tuple[str, str]
    entry: Callable[[str], dict[str, Any]]
    operation: str = "chat"
    streams: bool = True
    """Whether AG2's client streams, as far as the scripted model supports it."""
    status: int = 401

    @property
    def span_name(self) -> str:
        """Return the name of its spans."""
        return f"{self.operation} {self.model}"

    def config(self, model: ScriptedModel, **more: Any) -> dict[str, Any]:
        """Return the configuration entry of a client that calls ``model``."""
        return {"model": self.model, **self.entry(model.base_url), **more}


PROVIDERS = {
    "anthropic": Provider(
        "anthropic",
        "claude-sonnet-4-5",
        "anthropic.AuthenticationError",
        ("tool_use", "end_turn"),
        lambda url: {"api_type": "anthropic", "api_key": "none", "base_url": url},
    ),
    "gemini": Provider(
        "gcp.gemini",
        "gemini-2.5-flash",
        "google.genai.errors.ClientError",
        ("stop", "stop"),
        lambda url: {"api_type": "google", "api_key": "none"},
        "generate_content",
    ),
    "bedrock": Provider(
        "aws.bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "botocore.errorfactory.AccessDeniedException",
        ("tool_use", "end_turn"),
        lambda url: {"api_type": "bedrock", "aws_region": "us-east-1"},
        streams=False,
        status=403,
    ),
    "groq": Provider(
        "groq",
        "llama-3.3-70b-versatile",
        "groq.AuthenticationError",
        ("tool_calls", "stop"),
        lambda url: {"api_type": "groq", "api_key": "none", "base_url": url},
        streams=False,
    ),
    "cerebras": Provider(
        "cerebras",
        "llama-3.3-70b",
        "cerebras.cloud.sdk.AuthenticationError",
        ("tool_calls", "stop"),
        lambda url: {"api_type": "cerebras", "api_key": "none"},
        streams=False,
    ),
}
