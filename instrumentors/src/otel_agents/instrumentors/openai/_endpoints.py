"""Where a client sends its requests: host, port and the provider behind it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from otel_agents.semconv.values import Provider

__all__ = ["Endpoint", "endpoint_of"]


class Endpoint(NamedTuple):
    """The host and port of a client, and the provider that the host belongs to."""

    provider: str
    host: str
    port: int

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port, None where the client has no host."""
        return (self.host, self.port) if self.host else None


_HOSTS: Final = (
    ("api.openai.com", Provider.OPENAI),
    ("openai.azure.com", Provider.AZURE_AI_OPENAI),
    ("cognitiveservices.azure.com", Provider.AZURE_AI_OPENAI),
    ("services.ai.azure.com", Provider.AZURE_AI_OPENAI),
    ("models.ai.azure.com", Provider.AZURE_AI_INFERENCE),
    ("api.x.ai", Provider.X_AI),
    ("api.deepseek.com", Provider.DEEPSEEK),
    ("api.groq.com", Provider.GROQ),
    ("api.mistral.ai", Provider.MISTRAL_AI),
    ("api.perplexity.ai", Provider.PERPLEXITY),
    ("api.moonshot.ai", Provider.MOONSHOT_AI),
    ("api.moonshot.cn", Provider.MOONSHOT_AI),
    ("api.anthropic.com", Provider.ANTHROPIC),
    ("api.cohere.ai", Provider.COHERE),
    ("api.cohere.com", Provider.COHERE),
    ("generativelanguage.googleapis.com", Provider.GCP_GEMINI),
    ("aiplatform.googleapis.com", Provider.GCP_VERTEX_AI),
    ("ml.cloud.ibm.com", Provider.IBM_WATSONX_AI),
)
_PORTS: Final = {"https": 443, "http": 80}

_known: WeakKeyDictionary[Any, tuple[Any, Endpoint]] = WeakKeyDictionary()


def endpoint_of(client: Any) -> Endpoint:
    """The endpoint of an OpenAI client; looked at again when its base URL is replaced."""
    url = client._base_url
    known = _known.get(client)
    if known is not None and known[0] is url:
        return known[1]
    host = str(url.host)
    port = int(url.port or _PORTS.get(url.scheme, 443))
    endpoint = Endpoint(_provider(client, host), host, port)
    _known[client] = (url, endpoint)
    return endpoint


def _provider(client: Any, host: str) -> str:
    if any(cls.__name__ == "BaseAzureClient" for cls in type(client).__mro__):
        return Provider.AZURE_AI_OPENAI.value
    if host.startswith("bedrock-runtime.") and host.endswith(".amazonaws.com"):
        return Provider.AWS_BEDROCK.value
    for known, provider in _HOSTS:
        if host == known or host.endswith((f".{known}", f"-{known}")):
            return provider.value
    # An unknown host that speaks this API: the provider is a flavour of telemetry, not a company.
    return Provider.OPENAI.value
