"""Models: the SDK's own, whose SDKs report their calls, and the application's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.openai.hosts import provider_of_host
from otel_agents.instrumentors._dialects.openai.responses import FINAL_EVENTS
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Operation

from ._frames import current_run
from ._messages import record_input, response_output

if TYPE_CHECKING:
    from agents.models.interface import Model

__all__ = ["model_call"]

_AGENTS: Final = "agents."
_EXCEPTIONS: Final = "agents.exceptions"
_REJECTION: Final = "UserError"
_OPENAI: Final = "agents.models.openai_"
_FAKE_ID: Final = "__fake_id__"
"""The SDK's id of a response of an API that has none."""
_SETTINGS: Final = (
    *("temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens"),
    "reasoning",
)


class _ModelCall(FrameworkCall):
    """One call of a model, which sends one request: the SDK retries above it."""

    def __init__(self, telemetry: Telemetry, model: Model, call: Call) -> None:
        settings = call.argument(2, "model_settings")
        named = getattr(model, "model", None)
        name = named if isinstance(named, str) else None
        server = server_of(getattr(getattr(model, "_client", None), "base_url", None))
        self._is_sdks = type(model).__module__.startswith(_AGENTS)
        is_openai = type(model).__module__.startswith(_OPENAI)
        given = (call.argument(0, "system_instructions"), call.argument(1, "input"))
        super().__init__(
            telemetry,
            {key: getattr(settings, key, None) for key in _SETTINGS},
            model=name,
            provider=provider_of_host(server[0]) if is_openai and server else None,
            server=server,
            operation=Operation.CHAT,
            record_request=partial(_record_request, *given),
        )
        self._response: Any = None
        self._run = current_run()
        if self._run is not None:
            tools = (text(one, "tool_name") for one in call.argument(5, "handoffs") or ())
            self._run.on_request(name, *given, frozenset(filter(None, tools)))

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Report nothing where the SDK's own model rejects the request.

        For a response that failed, the SDK raises an error of its own: where an SDK below has
        reported that response, that was without an exception.
        """
        if error is None:
            return None
        is_sdks = self._is_sdks and type(error).__module__ == _EXCEPTIONS
        if is_sdks and type(error).__name__ == _REJECTION:
            self.nothing_sent()
        elif self._run is not None and not (is_sdks and self.claim.taken):
            self._run.passed(error)
        return error

    def chunk(self, item: Any) -> object:
        """Keep the last event of a stream, which has the whole response."""
        self.settings = {**self.settings, "stream": True}
        if text(item, "type") in FINAL_EVENTS:
            self._responded(field(item, "response"))
        else:
            self.chunk_received()
        return None

    def returned(self, value: Any) -> Any:
        """Record the response."""
        self._responded(value)
        return super().returned(value)

    def _responded(self, response: Any) -> None:
        self._response = response
        if self._run is not None:
            self._run.on_response(list(items(response, "output")))

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what the SDK knows of the response; an application's model may know less."""
        response = self._response
        output = list(items(response, "output"))
        names = ("response_id", "referenceable_id", "id")
        ids = (text(response, name) for name in names)
        reason = "tool_calls" if any(text(one, "type") in _CALLS for one in output) else "stop"
        return ResponseFields(
            response_id=next((one for one in ids if one and one != _FAKE_ID), None),
            finish_reasons=(reason,) if response is not None else (),
            usage=_usage(field(response, "usage")),
        )

    def output_messages(self, response: Any) -> list[Message]:
        """Return the items of the response as a message."""
        return response_output(list(items(self._response, "output")))


_CALLS: Final = ("function_call", "custom_tool_call")


def _usage(usage: Any) -> Usage | None:
    """Return the usage; the SDK has zeros where the model reports none."""
    found = usage_of(usage)
    return found if found is not None and (found.input_tokens or found.output_tokens) else None


def _record_request(instructions: Any, given: Any, content: Content) -> None:
    record_input(content, given, instructions)


def model_call(telemetry: Telemetry, call: Call) -> FrameworkCall:
    """Claim ``Model.get_response(system_instructions, input, …)`` and ``stream_response``."""
    return _ModelCall(telemetry, call.instance, call)
