"""The providers that AG2 1.x has model clients for, as the scripted model plays them."""

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
    """A provider; its spans are an ``operation``, ``refusal`` is the error of a refused request.

    ``tells`` are the attributes of a response that AG2's client keeps; ``thinks``: so is the number
    of tokens thought. ``reasons`` are the provider's to end with a tool's call and with a text,
    ``settings`` by AG2's names a limit of 50 tokens and, if it can be set, the stop "x"; ``modes``
    are whole and streamed, as far as the scripted model plays them.
    """

    name: str
    config: str
    model: str
    refusal: str
    make: Callable[[str], dict[str, Any]]
    operation: str = _CHAT
    tells: tuple[str, ...] = ("id", "model")
    thinks: bool = False
    modes: tuple[bool, ...] = (False, True)
    reasons: tuple[str, str] = ("tool_calls", "stop")
    settings: dict[str, Any] = field(default_factory=lambda: {"max_tokens": 50, "stop": ["x"]})

    @property
    def asked(self) -> str:
        """The name of its spans."""
        return f"{self.operation} {self.model}"

    def told(self, identity: str | None, model: str) -> dict[str, Any]:
        """What its spans tell of a response with this id, of this model."""
        known = {"id": identity, "model": model}
        return {f"gen_ai.response.{name}": known[name] for name in self.tells}

    def configured(self, model: ScriptedModel, **more: Any) -> Any:
        """AG2's configuration of its client, which asks ``model``."""
        make = getattr(_CONFIG, self.config)
        return make(model=self.model, **self.make(model.base_url), **self.settings, **more)

    @property
    def requested(self) -> dict[str, Any]:
        """What its spans tell of ``settings``."""
        stops = any("stop" in name for name in self.settings)
        stop = {"gen_ai.request.stop_sequences": ("x",)} if stops else {}
        return {"gen_ai.request.max_tokens": 50, **stop}


def _by_environment(url: str) -> dict[str, Any]:
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
    "tells": (),
    "reasons": ("stop", "stop"),
    "settings": {"max_output_tokens": 50, "stop_sequences": ["x"]},
}
_STOPPED: dict[str, Any] = {"max_tokens": 50, "stop_sequences": ["x"]}
PROVIDERS = {
    "anthropic": Provider(
        "anthropic",
        "AnthropicConfig",
        "claude-toy",
        "anthropic.BadRequestError",
        lambda url: {"base_url": url, "api_key": "none", "max_retries": 0},
        reasons=("tool_use", "end_turn"),
        settings=_STOPPED,
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
        tells=(),
        reasons=("tool_use", "end_turn"),
        settings=_STOPPED,
    ),
    "gemini": Provider(
        "gcp.gemini", "GeminiConfig", "gemini-2.5-flash", make=_by_environment, **_GOOGLE
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
        tells=("model",),
        modes=(False,),  # it streams whole tool calls, and tells the usage unasked
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
