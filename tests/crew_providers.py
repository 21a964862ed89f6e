"""The providers for which CrewAI has its own model classes, as the scripted model serves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from crews import crewai
from provider_spans import attributes_of_call

from otel_agents.testing.scripted_model import Entry, ScriptedModel, Usage

__all__ = ["PROVIDERS", "Provider"]

_UNSAID: Final = frozenset(
    {
        "gen_ai.request.stop_sequences",
        "gen_ai.response.model",
        "openai.api.type",
        "openai.response.service_tier",
        "openai.response.system_fingerprint",
    }
)
"""What no class of CrewAI's says of its requests and responses."""
_OPENAI: Final = MappingProxyType(
    {
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "openai.api.type": "chat_completions",
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_scripted",
    }
)
_SERVER: Final = frozenset({"server.address", "server.port"})
_CACHED: Final = "gen_ai.usage.cache_read.input_tokens"
_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
_STOP: Final = MappingProxyType({"gen_ai.request.stop_sequences": ("\nObservation:",)})


@dataclass(frozen=True)
class Provider:
    """A provider, and what its spans look like.

    Attributes:
        name: ``gen_ai.provider.name``.
        model: The model, as CrewAI wants it.
        refusal: The error that CrewAI's class raises for a refused request.
        codes: ``error.type`` of the SDK's instrumentor for a refusal and for the limit of requests,
            if it is not the error's class.
        limit: The error that CrewAI's class raises for the limit of requests, if it is another one.
        make: The settings of CrewAI's class, for a base URL.
        reasons: The finish reasons of a response with a tool call, and of one with text.
        more: What the SDK's instrumentor records besides.
        seen: Whether there is one; else CrewAI alone reports.
        operation: ``gen_ai.operation.name`` of the SDK's instrumentor.
        unsaid: What CrewAI's class does not say.
        withheld: What the provider itself does not say.
    """

    name: str
    model: str
    refusal: str
    make: Callable[[str], dict[str, Any]]
    reasons: tuple[str, str]
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    seen: bool = True
    operation: str = "chat"
    unsaid: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    codes: tuple[str, str] | None = None
    limit: str = ""

    def llm(self, model: ScriptedModel, **more: Any) -> Any:
        """Return a model of its class that sends to ``model``."""
        return crewai.LLM(model=self.model, **self.make(model.base_url), **more)

    @property
    def span(self) -> str:
        """The name of its spans."""
        return f"{self.operation} {self.model.partition('/')[2] or self.model}"

    def attributes(self, model: ScriptedModel, *, sdk: bool, stream: bool) -> list[dict[str, Any]]:
        """Return the attributes of its spans, one per billed response, but for durations."""
        entries = [entry for entry in model.ledger.entries if entry.input_tokens]
        reasons = [*[self.reasons[0]] * (len(entries) - 1), self.reasons[1]]
        spans = [
            self._attributes(model, entry, reason, stream)
            for entry, reason in zip(entries, reasons, strict=True)
        ]
        if sdk and self.seen:
            return spans
        unsaid = _UNSAID | self.unsaid
        return [{name: span[name] for name in span if name not in unsaid} for span in spans]

    def _attributes(
        self, model: ScriptedModel, entry: Entry, reason: str, stream: bool
    ) -> dict[str, Any]:
        reported = entry.reported or Usage()
        parts = {_CACHED: reported.cached_tokens, _REASONING: reported.reasoning_tokens}
        requested = self.model.partition("/")[2] or self.model
        attributes = {
            **attributes_of_call(
                model,
                entry,
                reason,
                provider=self.name,
                requested=requested,
                operation=self.operation,
                stream=stream,
            ),
            **{name: count for name, count in parts.items() if count},
            **self.more,
        }
        return {name: attributes[name] for name in attributes if name not in self.withheld}


CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROVIDERS = {
    "anthropic": Provider(
        "anthropic",
        "anthropic/claude-sonnet-4-5",
        "anthropic.AuthenticationError",
        lambda url: {"base_url": url, "api_key": "none"},
        ("tool_use", "end_turn"),
        more={"gen_ai.request.max_tokens": 64000, **_STOP},
        unsaid=frozenset({_REASONING}),
        codes=("authentication_error", "rate_limit_error"),
        limit="anthropic.RateLimitError",
    ),
    "azure": Provider(
        "azure.ai.inference",
        "azure/gpt-4o-mini",
        "azure.core.exceptions.ClientAuthenticationError",
        lambda url: {"endpoint": f"{url}/v1", "api_key": "none"},
        ("tool_calls", "stop"),
        seen=False,
        unsaid=frozenset({_CACHED, _REASONING}),
    ),
    "gemini": Provider(
        "gcp.gemini",
        "gemini/gemini-2.5-flash",
        "google.genai.errors.ClientError",
        lambda url: {"api_key": "none", "client_params": {"http_options": {"base_url": url}}},
        ("stop", "stop"),
        more=dict(_STOP),
        operation="generate_content",
        unsaid=_SERVER,
        codes=("UNAUTHENTICATED", "RESOURCE_EXHAUSTED"),
    ),
    "bedrock": Provider(
        "aws.bedrock",
        f"bedrock/{CLAUDE}",
        "botocore.errorfactory.AccessDeniedException",
        lambda url: {"region_name": "us-east-1"},
        ("tool_use", "end_turn"),
        more=dict(_STOP),
        unsaid=frozenset({"gen_ai.response.id", *_SERVER}),
        withheld=frozenset({"gen_ai.response.model", _REASONING}),
        codes=("AccessDeniedException", "ThrottlingException"),
    ),
    "openai": Provider(
        "openai",
        "gpt-4o-mini",
        "openai.AuthenticationError",
        lambda url: {"base_url": f"{url}/v1", "api_key": "none"},
        ("tool_calls", "stop"),
        more=dict(_OPENAI),
        limit="openai.RateLimitError",
    ),
}
