"""The providers of AG2 1.x's model clients, each simulated by the scripted model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from provider_spans import attributes_of_call

from otel_agents.testing.scripted_model import ScriptedModel, Usage

__all__ = ["MODELS", "PROVIDERS", "USAGE", "Provider"]

_CONFIG: Any = import_module("ag2.config")
_CHAT = "chat"
USAGE = Usage(100, 20, cached_tokens=30, reasoning_tokens=6)
"""The usage of each scripted response."""
MODELS = ("today-1", "today-2")
"""The models that the scripted responses name."""
THOUGHTS = "gen_ai.usage.reasoning.output_tokens"
_SERVER = ("server.address", "server.port")
_ID = "gen_ai.response.id"
_NAMED = "gen_ai.response.model"


@dataclass(frozen=True)
class Provider:
    """A provider and what its spans look like.

    Attributes:
        operation: The operation of its spans.
        refusal: The ``error.type`` of a refused request where the SDK is not instrumented.
        code: The same where it is: the provider's code.
        unknown: The attributes that only the SDK's instrumentor knows.
        more: Further attributes that it records.
        named: Whether the provider's response names the model.
        thinks: Whether the provider reports the number of thinking tokens.
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
    code: str = ""
    unknown: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    named: bool = True
    thinks: bool = True
    modes: tuple[bool, ...] = (False, True)
    reasons: tuple[str, str] = ("tool_calls", "stop")
    settings: dict[str, Any] = field(default_factory=lambda: {"max_tokens": 50, "stop": ["x"]})

    @property
    def span_name(self) -> str:
        """Return the name of its spans."""
        return f"{self.operation} {self.model}"

    def spans(self, model: ScriptedModel, *, sdk: bool, streaming: bool) -> list[dict[str, Any]]:
        """Return the attributes of the spans of a tool call and a text, for `USAGE`."""
        spans: list[dict[str, Any]] = []
        for entry, reason, name in zip(model.ledger.entries, self.reasons, MODELS, strict=True):
            whole: dict[str, Any] = {
                **attributes_of_call(
                    model,
                    entry,
                    reason,
                    provider=self.name,
                    requested=self.model,
                    operation=self.operation,
                    stream=streaming,
                ),
                "gen_ai.usage.cache_read.input_tokens": USAGE.cached_tokens,
                **({THOUGHTS: USAGE.reasoning_tokens} if self.thinks else {}),
                **self.requested,
            }
            whole.pop(_NAMED)
            if self.named:
                whole[_NAMED] = name
            known = {key: value for key, value in whole.items() if key not in self.unknown}
            spans.append({**whole, **self.more} if sdk else known)
        return spans

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
    "code": "INVALID_ARGUMENT",
    "operation": "generate_content",
    "unknown": (*_SERVER, _ID, "gen_ai.response.model"),
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
        code="invalid_request_error",
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
        code="ValidationException",
        unknown=(*_SERVER, _ID),
        named=False,
        thinks=False,
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
        lambda url: {"server_url": f"{url}/mistral", "api_key": "none"},
        code="invalid_request_error",
        unknown=(*_SERVER, _ID),
        thinks=False,
    ),
    "openai": Provider(
        "openai",
        "OpenAIConfig",
        "gpt-4o-mini",
        "openai.BadRequestError",
        _openai,
        more={
            "openai.api.type": "chat_completions",
            "openai.response.service_tier": "default",
            "openai.response.system_fingerprint": "fp_scripted",
        },
    ),
    "responses": Provider(
        "openai",
        "OpenAIResponsesConfig",
        "gpt-4o-mini",
        "openai.BadRequestError",
        _openai,
        more={"openai.api.type": "responses", "openai.response.service_tier": "default"},
        settings={"max_output_tokens": 50},
    ),
}
