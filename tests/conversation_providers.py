"""The providers of AG2's own clients, each simulated by the scripted model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from provider_spans import attributes_of_call

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["PROVIDERS", "Provider"]


@dataclass(frozen=True)
class Provider:
    """A provider and what its spans look like.

    Attributes:
        refusal: The ``error.type`` of a request that is refused with ``status``, where the SDK is
            not instrumented.
        code: The same where it is: the provider's code.
        reasons: The provider's finish reasons for a tool call and for text.
        entry: Returns the settings of a configuration entry for a URL.
        streams: Whether AG2's client streams, as far as the scripted model supports it.
        unknown: The attributes that only the SDK's instrumentor knows.
        more: Further attributes that it records.
        unnamed: The attributes that the provider's responses do not have.
        requested: The attributes of the settings that AG2 adds itself.
    """

    name: str
    model: str
    refusal: str
    reasons: tuple[str, str]
    entry: Callable[[str], dict[str, Any]]
    code: str = ""
    operation: str = "chat"
    streams: bool = True
    status: int = 401
    unknown: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    unnamed: tuple[str, ...] = ()
    requested: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def span_name(self) -> str:
        """Return the name of its spans."""
        return f"{self.operation} {self.model}"

    def config(self, model: ScriptedModel, **more: Any) -> dict[str, Any]:
        """Return the configuration entry of a client that calls ``model``."""
        return {"model": self.model, **self.entry(model.base_url), **more}

    def spans(self, model: ScriptedModel, *, sdk: bool, streams: bool) -> list[dict[str, Any]]:
        """Return the attributes of the spans of a tool call and a text."""
        reasons = self.reasons if sdk else _REASONS
        spans: list[dict[str, Any]] = []
        for entry, reason in zip(model.ledger.entries, reasons, strict=True):
            whole: dict[str, Any] = {
                **attributes_of_call(
                    model,
                    entry,
                    reason,
                    provider=self.name,
                    requested=self.model,
                    operation=self.operation,
                    stream=streams,
                ),
                "gen_ai.response.model": self.model,
                **self.requested,
                **(self.more if sdk else {}),
            }
            absent = self.unnamed if sdk else self.unknown
            spans.append({key: value for key, value in whole.items() if key not in absent})
        return spans


_SERVER = ("server.address", "server.port")
_REASONS = ("tool_calls", "stop")
"""AG2's finish reasons, whatever the provider's."""
PROVIDERS = {
    "anthropic": Provider(
        "anthropic",
        "claude-sonnet-4-5",
        "anthropic.AuthenticationError",
        ("tool_use", "end_turn"),
        lambda url: {"api_type": "anthropic", "api_key": "none", "base_url": url},
        "authentication_error",
        more={"gen_ai.request.temperature": 1.0},  # AG2's default
        requested={"gen_ai.request.max_tokens": 4096},
    ),
    "gemini": Provider(
        "gcp.gemini",
        "gemini-2.5-flash",
        "google.genai.errors.ClientError",
        ("stop", "stop"),
        lambda url: {"api_type": "google", "api_key": "none"},
        "UNAUTHENTICATED",
        "generate_content",
        unknown=(*_SERVER, "gen_ai.response.id", "gen_ai.usage.output_tokens"),
    ),
    "bedrock": Provider(
        "aws.bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "botocore.errorfactory.AccessDeniedException",
        ("tool_use", "end_turn"),
        lambda url: {"api_type": "bedrock", "aws_region": "us-east-1"},
        "AccessDeniedException",
        streams=False,
        status=403,
        unknown=_SERVER,
        unnamed=("gen_ai.response.model",),
    ),
    "groq": Provider(
        "groq",
        "llama-3.3-70b-versatile",
        "groq.AuthenticationError",
        _REASONS,
        lambda url: {"api_type": "groq", "api_key": "none", "base_url": f"{url}/groq"},
        "invalid_request_error",
        streams=False,
        more={
            "gen_ai.request.temperature": 1.0,
            "openai.api.type": "chat_completions",
            "openai.response.service_tier": "on_demand",
            "openai.response.system_fingerprint": "fp_scripted",
        },
    ),
    "cerebras": Provider(
        "cerebras",
        "llama-3.3-70b",
        "cerebras.cloud.sdk.AuthenticationError",
        _REASONS,
        lambda url: {"api_type": "cerebras", "api_key": "none"},
        streams=False,
        unnamed=_SERVER,
        unknown=_SERVER,
    ),
}
