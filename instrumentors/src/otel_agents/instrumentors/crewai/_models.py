"""Model classes: CrewAI's own, whose SDK reports, and the application's, which only they see."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import create_key, get_value, set_value

from otel_agents.instrumentors._core.calls import Begin, Call, Running
from otel_agents.instrumentors._core.operations import ClaimedCall
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv.values import Operation, Provider

from ._messages import answer, request

__all__ = ["Answer", "asked", "current_answer"]

_ANSWER: Final = create_key("otel_agents-crewai-answer")
_LITELLM: Final = "crewai.llm"
_OWN: Final = "crewai."
_PROVIDERS: Final = {
    "azure": Provider.AZURE_AI_INFERENCE.value,
    "bedrock": Provider.AWS_BEDROCK.value,
    "gemini": Provider.GCP_GEMINI.value,
}
"""CrewAI's names that are not the conventions'."""


class Answer(ClaimedCall):
    """One call of a model class, below every cache of CrewAI's: the call itself is evidence."""

    def __init__(self, telemetry: Telemetry, instance: Any, messages: Any) -> None:
        model = getattr(instance, "model", None)
        super().__init__(
            telemetry,
            Operation.CHAT,
            model=model if isinstance(model, str) else None,
            provider=_provider(instance),
            evident=True,
        )
        self.event: Any = None
        self._messages = messages
        self._wanted = telemetry.gate.wanted
        self.context = set_value(_ANSWER, self, self.context)

    def describe(self, call: Any, response: Any) -> None:
        """What the class has told of it; one of the application's own may tell nothing."""
        if self._wanted:
            call.content.input_messages = request(self._messages)
            call.content.output_messages = answer(response)
        event = self.event
        if event is None:
            return
        call.response_id = event.response_id
        call.response_model = event.model
        call.finish_reasons = (event.finish_reason,) if event.finish_reason else ()
        usage = usage_of(event.usage)
        if usage is not None:
            call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
            call.attributes.update(usage.breakdown)


def _provider(instance: Any) -> str | None:
    """The provider that the class names; the base class names one for all."""
    provider = getattr(instance, "provider", None)
    own = type(instance).__module__.startswith(_OWN)
    if not isinstance(provider, str) or (not own and provider == Provider.OPENAI.value):
        return None
    return _PROVIDERS.get(provider, provider)


def current_answer() -> Answer | None:
    """The call of a model class that is being answered here."""
    found = get_value(_ANSWER)
    return found if isinstance(found, Answer) and not found.claim.closed else None


def asked(telemetry: Telemetry) -> Begin:
    """``BaseLLM.call(messages, …)`` and ``acall``; by way of LiteLLM the calls are LiteLLM's."""

    def begin(call: Call) -> Running | None:
        if type(call.instance).__module__ == _LITELLM:
            return None
        messages = call.args[0] if call.args else call.kwargs.get("messages")
        return Answer(telemetry, call.instance, messages)

    return begin
