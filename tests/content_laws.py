"""Law 5: content is recorded only if it is enabled."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import pytest
from error_laws import SECRET
from stainless_calls import Sdk

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

__all__ = [
    "SECRET",
    "ContentLaws",
    "attribute",
    "check_error_text",
    "check_event_only",
    "check_no_secret",
]

_CONTENTS = {
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
}


def attribute(emission: Emission, name: str) -> Any:
    """Return the value of an attribute of the last span that is JSON."""
    return json.loads(str((emission.spans[-1].attributes or {})[name]))


def check_no_secret(
    send: Callable[[], object],
    kind: type[BaseException],
    model: ScriptedModel,
    emission: Emission,
    *others: Callable[[], object],
) -> None:
    """Send a request of which `SECRET` is a part, one that raises ``kind``, and the others; check that nothing has it."""
    model.script(
        Response(f"It is {SECRET}", tool_calls=[ToolCall("weather", {"city": SECRET})]),
        Failure(500, message=SECRET),
    )
    send()
    with pytest.raises(kind, match=SECRET):
        send()
    for other in others:
        other()
    assert len(emission.spans) == 2 + len(others)
    assert SECRET not in emission.texts()


def check_error_text(
    send: Callable[[], object],
    kind: type[BaseException],
    name: str,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """Send a request that raises ``kind``; check that its text is recorded, with content on span and event."""
    model.script(Failure(500, message=SECRET))
    with pytest.raises(kind):
        send()
    assert SECRET in str(emission.span.status.description)
    recorded = dict(emission.events)["gen_ai.client.operation.exception"]
    assert recorded["exception.type"] == name
    assert SECRET in recorded["exception.message"]


def check_event_only(emission: Emission) -> None:
    """Check that the only event has what the only span has, and the messages, and belongs to it."""
    assert SECRET not in emission.span.to_json()
    ((name, attributes),) = emission.events
    assert name == "gen_ai.client.inference.operation.details"
    contents = {name for name in attributes if name in _CONTENTS}
    assert {"gen_ai.input.messages", "gen_ai.output.messages"} <= contents
    others = {name: attributes[name] for name in attributes.keys() - contents}
    assert others == dict(emission.span.attributes or {})
    (log,) = emission.logs
    context = emission.span.get_span_context()
    assert context is not None
    recorded = log.log_record
    assert (recorded.trace_id, recorded.span_id) == (context.trace_id, context.span_id)


class ContentLaws:
    """Laws of an SDK that Stainless generates; the suite has the fixtures of `stainless_fixtures`.

    Attributes:
        request: The arguments of a conversation with `SECRET` in each of its parts, and tools.
    """

    request: ClassVar[dict[str, Any]]

    def others(self, client: Any) -> list[Callable[[], object]]:
        """Return requests with `SECRET` to other APIs."""
        return []

    @pytest.mark.parametrize("metrics", ["previous", "both"])
    @pytest.mark.parametrize("stream", [False, True])
    def test_a_secret_is_nowhere_by_default(
        self,
        stream: bool,
        metrics: str,
        sdk: Sdk,
        client: Any,
        model: ScriptedModel,
        emission: Emission,
        instrument: Callable[..., None],
    ) -> None:
        instrument(OTEL_AGENTS_METRICS=metrics)

        def send() -> None:
            response = sdk.send(client, stream=stream, **self.request)
            if stream:
                list(response)

        kind = sdk.error("InternalServerError")
        check_no_secret(send, kind, model, emission, *self.others(client))

    @pytest.mark.usefixtures("with_content")
    def test_a_stream_is_accumulated(
        self, sdk: Sdk, client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        call = ToolCall("weather", {"city": "Bern"}, id="call_2")
        model.script(*[Response("one two", tool_calls=[call])] * 2)
        sdk.send(client, **self.request)
        whole = attribute(emission, "gen_ai.output.messages")
        list(sdk.send(client, stream=True, **self.request))
        assert attribute(emission, "gen_ai.output.messages") == whole

    def test_the_text_of_an_error_is_content(
        self,
        sdk: Sdk,
        client: Any,
        model: ScriptedModel,
        emission: Emission,
        instrument: Callable[..., None],
    ) -> None:
        instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_AND_EVENT")
        send, name = partial(sdk.send, client, **self.request), "InternalServerError"
        check_error_text(send, sdk.error(name), f"{sdk.name}.{name}", model, emission)

    def test_content_on_the_event_only(
        self, sdk: Sdk, client: Any, emission: Emission, instrument: Callable[..., None]
    ) -> None:
        instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY")
        sdk.send(client, **self.request)
        check_event_only(emission)
