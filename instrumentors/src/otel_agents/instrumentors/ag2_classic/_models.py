"""Model clients, below the cache: one call of a client is one request to its provider."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls import Begin, Call, Running
from otel_agents.instrumentors._core.operations import ClaimedCall
from otel_agents.instrumentors._core.servers import server_of
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, field, items, text
from otel_agents.instrumentors._dialects.openai.apis import CHAT, COMPLETIONS
from otel_agents.instrumentors._dialects.openai.requests import inference_attributes
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv.values import Operation, Provider

from ._arguments import argument

__all__ = ["CLIENTS", "answered"]

_OWN: Final = "autogen."
_GUESSES: Final = "OpenAIClient"
_ASKS: Final = "_add_streaming_usage_to_params"
"""What that client has where it asks for the usage of a stream; before, it guessed it."""

CLIENTS: Final = {
    "oai.client:OpenAIClient": Provider.OPENAI.value,
    "oai.openai_responses:OpenAIResponsesClient": Provider.OPENAI.value,
    "oai.anthropic:AnthropicClient": Provider.ANTHROPIC.value,
    "oai.bedrock:BedrockClient": Provider.AWS_BEDROCK.value,
    "oai.cerebras:CerebrasClient": "cerebras",
    "oai.cohere:CohereClient": Provider.COHERE.value,
    "oai.gemini:GeminiClient": Provider.GCP_GEMINI.value,
    "oai.groq:GroqClient": Provider.GROQ.value,
    "oai.mistral:MistralAIClient": Provider.MISTRAL_AI.value,
    "oai.ollama:OllamaClient": "ollama",
    "oai.together:TogetherClient": "together_ai",
    "llm_clients.anthropic_v2:AnthropicV2Client": Provider.ANTHROPIC.value,
    "llm_clients.bedrock_v2:BedrockV2Client": Provider.AWS_BEDROCK.value,
    "llm_clients.openai_completions_client:OpenAICompletionsClient": Provider.OPENAI.value,
    "llm_clients.openai_responses_v2:OpenAIResponsesV2Client": Provider.OPENAI.value,
}
"""AG2's own clients, below the package ``autogen``, and their providers."""
_PROVIDERS: Final = {target.partition(":")[2]: name for target, name in CLIENTS.items()}


class Answer(ClaimedCall):
    """One request of a client."""

    def __init__(self, telemetry: Telemetry, client: Any, asked: Any) -> None:
        super().__init__(
            telemetry,
            Operation.CHAT if field(asked, "prompt") is None else Operation.TEXT_COMPLETION,
            model=text(asked, "model"),
            provider=_provider(client),
            evident=True,
        )
        self.server = _server(client)
        self._wanted = telemetry.gate.wanted
        self._asked = asked
        guesses = _own_class(client) == _GUESSES and not hasattr(client, _ASKS)
        self._guessed = guesses and bool(field(asked, "stream"))

    def response_id(self, response: Any) -> str | None:
        """The provider's; a client of the application's own may have none."""
        return text(response, "id")

    def describe(self, call: Any, response: Any) -> None:
        """What the response tells: it is OpenAI's, or has the same fields."""
        api = CHAT if self.operation is Operation.CHAT else COMPLETIONS
        if call.detailed:
            call.attributes.update(inference_attributes(as_mapping(self._asked)))
        if self._wanted:
            api.ask(call.content, self._asked)
        if response is None:
            return
        call.response_id = self.response_id(response)
        call.response_model = text(response, "model")
        choices = list(items(response, "choices"))
        reasons = [text(choice, "finish_reason") for choice in choices or [response]]
        call.finish_reasons = tuple(reason for reason in reasons if reason)
        if self._wanted and choices:
            call.content.output_messages = lambda: api.output(response)
        usage = None if self._guessed else usage_of(field(response, "usage"))
        if usage is not None and (usage.input_tokens or usage.output_tokens):
            call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
            call.attributes.update(usage.breakdown)


def _server(client: Any) -> tuple[str, int] | None:
    """Host and port of a client over OpenAI's SDK."""
    return server_of(getattr(getattr(client, "_oai_client", None), "base_url", None))


def _provider(client: Any) -> str | None:
    """The provider of one of AG2's own clients; None of one of the application's."""
    own = _own_class(client)
    azure = own and type(getattr(client, "_oai_client", None)).__name__ == "AzureOpenAI"
    return Provider.AZURE_AI_OPENAI.value if azure else _PROVIDERS.get(own)


def _own_class(client: Any) -> str:
    """The name of AG2's class that ``client`` is one of, or derives from; empty where none is."""
    own = (cls.__name__ for cls in type(client).__mro__ if cls.__module__.startswith(_OWN))
    return next(own, "")


def answered(telemetry: Telemetry) -> Begin:
    """``ModelClient.create(params)``."""

    def begin(call: Call) -> Running | None:
        return Answer(telemetry, call.instance, argument(call, 0, "params"))

    return begin
