"""The providers of AG2 1.x's model clients, each simulated by the scripted model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["PROVIDERS", "Provider"]

_CONFIG: Any = import_module("ag2.config")
_CHAT = "chat"


@dataclass(frozen=True)
class Provider:
    """A provider and what its spans look like.

    Attributes:
        operation: The operation of its spans.
        refusal: The ``error.type`` of a refused request.
        reports: The response attributes that AG2's client keeps.
        thinks: Whether AG2's client keeps the number of thinking tokens.
        modes: Whether responses are streamed: the modes that the scripted model supports.
        reasons: The provider's finish reasons for a tool call and for text.
        settings: In AG2's names, a limit of 50 tokens and, where it can be set, the stop "x".
    """

    name: str
    config: str
    model: str
    refusal: str
    make: Callable[[str], dict[str, Any]]
    operation: str = _CHAT
    reports: tuple[str, ...] = ("id", "model")
    thinks: bool = False
    modes: tuple[bool, ...] = (False, True)
    reasons: tuple[str, str] = ("tool_calls", "stop")
    settings: dict[str, Any] = field(default_factory=lambda: {"max_tokens": 50, "stop": ["x"]})

    @property
    def span_name(self) -> str:
        """Return the name of its spans."""
        return f"{self.operation} {self.model}"

    def reported(self, identity: str | None, model: str) -> dict[str, Any]:
        """Return the span attributes for a response with this id and model."""
        fields = {"id": identity, "model": model}
        return {f"gen_ai.response.{name}": fields[name] for name in self.reports}

    def configured(self, model: ScriptedModel, **more: Any) -> Any:
        """Return AG2's configuration of a client that calls ``model``."""
        make = getattr(_CONFIG, self.config)
        return make(model=self.model, **self.make(model.base_url), **self.settings, **more)

    @property
    def requested(self) -> dict[str, Any]:
        """Return the span attributes for ``settings``."""
        stops = any("stop" in name for name in self.settings)
        stop = {"gen_ai.request.stop_sequences": ("x",)} if stops else {}
        return {"gen_ai.request.max_tokens": 50, **stop}


def _api_key_only(url: str) -> dict[str, Any]:
    return {"api_key": "none"}


def _vertex(url: str) -> dict[str, Any]:
    credentials: Any = import_module("google.oauth2.credentials").Credentials("none")
    return {"credentials": credentials, "project": "toy", "location": "us-central1"}


def _openai(url: str) -> dict[str, Any]:
    return {"base_url": f"{url}/v1", "api_key": "none", "max_retries": 0}


_CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
_GOOGLE: dict[str, Any] = {
    "refusal": "google.genai.errors.ClientError",
    "operation": "generate_content",
    "thinks": True,
    "reports": (),
    "reasons": ("stop", "stop"),
    "settings": {"max_output_tokens": 50, "stop_sequences": ["x"]},
}
_STOP_SETTINGS: dict[str, Any] = {"max_tokens": 50, "stop_sequences": ["x"]}
PROVIDERS = {
    "anthropic": Provider(
        "anthropic",
        "AnthropicConfig",
        "claude-toy",
        "anthropic.BadRequestError",
        lambda url: {"base_url": url, "api_key": "none", "max_retries": 0},
        reasons=("tool_use", "end_turn"),
        settings=_STOP_SETTINGS,
    ),
    "bedrock": Provider(
        "aws.bedrock",
        "BedrockConfig",
        _CLAUDE,
        "botocore.errorfactory.ValidationException",
        lambda url: {
            "endpoint_url": url,
            "region_name": "us-east-1",
            "aws_access_key_id": "none",
            "aws_secret_access_key": "none",
            "max_retries": 0,
        },
        reports=(),
        reasons=("tool_use", "end_turn"),
        settings=_STOP_SETTINGS,
    ),
    "gemini": Provider(
        "gcp.gemini", "GeminiConfig", "gemini-2.5-flash", make=_api_key_only, **_GOOGLE
    ),
    "vertex": Provider(
        "gcp.vertex_ai", "VertexAIConfig", "gemini-2.5-flash", make=_vertex, **_GOOGLE
    ),
    "mistral": Provider(
        "mistral_ai",
        "MistralConfig",
        "mistral-small-latest",
        "mistralai.client.errors.sdkerror.SDKError",
        lambda url: {"server_url": url, "api_key": "none"},
        reports=("model",),
        modes=(False,),  # it streams tool calls in one chunk, and always sends the usage
    ),
    "openai": Provider(
        "openai",
        "OpenAIConfig",
        "gpt-4o-mini",
        "openai.BadRequestError",
        _openai,
        thinks=True,
    ),
    "responses": Provider(
        "openai",
        "OpenAIResponsesConfig",
        "gpt-4o-mini",
        "openai.BadRequestError",
        _openai,
        thinks=True,
        settings={"max_output_tokens": 50},
    ),
}
