"""Model clients: the SDK below them reports, or they do where none is seen."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls import Begin, Call, Running
from otel_agents.instrumentors._core.operations import ClaimedCall
from otel_agents.instrumentors._core.servers import server_of
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, Provider

from ._messages import answer, conversation, instructions

__all__ = ["Answer", "asked", "asks_a_model"]

_CONFIG: Final = "__ag2_model_config__"
"""The key by which AG2 leaves a turn's model configuration in its dependencies."""
_CLIENTS: Final = "ag2.config."
_REMOTE: Final = ("ag2.a2a.", "ag2.acp.")
"""Clients that ask an agent, which is no model."""
_PROVIDERS: Final = {
    "bedrock": Provider.AWS_BEDROCK.value,
    "gemini": Provider.GCP_GEMINI.value,
    "google": Provider.GCP_GEMINI.value,
    "mistral": Provider.MISTRAL_AI.value,
    "vertexai": Provider.GCP_VERTEX_AI.value,
    "xai": Provider.X_AI.value,
}
"""AG2's names that are not the conventions'."""
_CACHE_APART: Final = (Provider.ANTHROPIC.value, Provider.AWS_BEDROCK.value)
"""Providers whose input tokens do not contain those read from a cache and written to it."""
_BREAKDOWN: Final = (
    ("cache_read_input_tokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_creation_input_tokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("thinking_tokens", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)


class Answer(ClaimedCall):
    """One call of a model client, below every middleware: the call itself is evidence."""

    def __init__(self, telemetry: Telemetry, client: Any, events: Any, context: Any) -> None:
        super().__init__(
            telemetry,
            Operation.CHAT,
            model=_model(client, context),
            provider=_provider(client),
            evident=True,
        )
        self.server = server_of(getattr(getattr(client, "_client", None), "base_url", None))
        self._events = events
        self._asked = context
        self._wanted = telemetry.gate.wanted

    def returned(self, value: Any) -> Any:
        """The client has its response, which may name the provider."""
        named = getattr(value, "provider", None)
        if self.claim.provider is None and isinstance(named, str) and named:
            self.claim.provider = _PROVIDERS.get(named, named)
        return super().returned(value)

    def failed(self, error: BaseException) -> None:
        """The call raised; what AG2 itself refuses was not sent."""
        if type(error).__module__.startswith("ag2."):
            self.claim.settle()
        super().failed(error)

    def response_id(self, response: Any) -> str | None:
        """The provider's id of the response, in versions that keep it."""
        return getattr(response, "response_id", None)

    def describe(self, call: Any, response: Any) -> None:
        """What the client has told of it; one of the application's own may tell nothing."""
        if self._wanted:
            call.content.system_instructions = instructions(self._asked)
            call.content.input_messages = conversation(self._events)
            call.content.output_messages = answer(response)
        if response is None:
            return
        call.response_id = self.response_id(response)
        call.response_model = getattr(response, "model", None)
        reason = getattr(response, "finish_reason", None)
        call.finish_reasons = (reason,) if isinstance(reason, str) else ()
        usage = getattr(response, "usage", None)
        if usage:
            self._count(call, usage)

    def _count(self, call: Any, usage: Any) -> None:
        read, written, thought = (_tokens(usage, name) for name, _ in _BREAKDOWN)
        for (_, name), tokens in zip(_BREAKDOWN, (read, written, thought), strict=True):
            if tokens:
                call.attributes[name] = tokens
        prompt = _tokens(usage, "prompt_tokens")
        if prompt is not None and self.claim.provider in _CACHE_APART:
            prompt += (read or 0) + (written or 0)
        call.input_tokens, call.output_tokens = prompt, _tokens(usage, "completion_tokens")


def _tokens(usage: Any, name: str) -> int | None:
    value = getattr(usage, name, None)
    return int(value) if isinstance(value, (int, float)) else None


def _model(client: Any, context: Any) -> str | None:
    """The model that ``client`` asks: of its options, or of the turn that it was made for."""
    options = getattr(client, "_create_options", None)
    named = cast("dict[str, Any]", options).get("model") if isinstance(options, dict) else None
    named = named or getattr(client, "_model", None)
    if not isinstance(named, str):
        named = _configured(context)
    return named if isinstance(named, str) else None


def _configured(context: Any) -> Any:
    dependencies: dict[Any, Any] = getattr(context, "dependencies", {})
    try:
        return getattr(dependencies.get(_CONFIG), "model", None)
    except NotImplementedError:  # the base class says so where a configuration names none
        return None


def _provider(client: Any) -> str | None:
    """The provider by the package of AG2's own client; an application's own names it later."""
    module = type(client).__module__
    if not module.startswith(_CLIENTS):
        return None
    named = module.removeprefix(_CLIENTS).partition(".")[0]
    return _PROVIDERS.get(named, named)


def asks_a_model(client: Any) -> bool:
    """Whether ``client`` is no way to another agent."""
    return not type(client).__module__.startswith(_REMOTE)


def asked(telemetry: Telemetry) -> Begin:
    """``LLMClient.__call__(messages, context, …)``."""

    def begin(call: Call) -> Running | None:
        if not asks_a_model(call.instance):
            return None
        events = call.args[0] if call.args else call.kwargs.get("messages")
        context = call.args[1] if len(call.args) > 1 else call.kwargs.get("context")
        return Answer(telemetry, call.instance, events, context)

    return begin
