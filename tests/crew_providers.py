"""The providers for which CrewAI has its own model classes, as the scripted model serves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crews import crewai

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["PROVIDERS", "Provider"]


@dataclass(frozen=True)
class Provider:
    """A provider; ``span`` is the name of its spans, ``refusal`` the error of a refused request."""

    name: str
    model: str
    span: str
    refusal: str
    make: Callable[[str], dict[str, Any]]

    def llm(self, model: ScriptedModel, **more: Any) -> Any:
        """Return a model of its class that sends to ``model``."""
        return crewai.LLM(model=self.model, **self.make(model.base_url), **more)


CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROVIDERS = {
    "anthropic": Provider(
        "anthropic",
        "anthropic/claude-sonnet-4-5",
        "chat claude-sonnet-4-5",
        "anthropic.AuthenticationError",
        lambda url: {"base_url": url, "api_key": "none"},
    ),
    "azure": Provider(
        "azure.ai.inference",
        "azure/gpt-4o-mini",
        "chat gpt-4o-mini",
        "azure.core.exceptions.ClientAuthenticationError",
        lambda url: {"endpoint": f"{url}/v1", "api_key": "none"},
    ),
    "gemini": Provider(
        "gcp.gemini",
        "gemini/gemini-2.5-flash",
        "generate_content gemini-2.5-flash",
        "google.genai.errors.ClientError",
        lambda url: {"api_key": "none", "client_params": {"http_options": {"base_url": url}}},
    ),
    "bedrock": Provider(
        "aws.bedrock",
        f"bedrock/{CLAUDE}",
        f"chat {CLAUDE}",
        "botocore.exceptions.ClientError",
        lambda url: {"region_name": "us-east-1"},
    ),
    "openai": Provider(
        "openai",
        "gpt-4o-mini",
        "chat gpt-4o-mini",
        "openai.AuthenticationError",
        lambda url: {"base_url": f"{url}/v1", "api_key": "none"},
    ),
}
