"""The owner of a model call: the SDK, else the model client; a cached response is no call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, LENIENT, assistant, round_robin, turn, user_messages

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

models: Any = import_module("autogen_core.models")
replay: Any = import_module("autogen_ext.models.replay")

INFO = {
    "vision": False,
    "function_calling": True,
    "json_output": False,
    "family": "unknown",
    "structured_output": False,
}


def result(content: str, *, cached: bool = False) -> Any:
    usage = models.RequestUsage(prompt_tokens=7, completion_tokens=5)
    return models.CreateResult(finish_reason="stop", content=content, usage=usage, cached=cached)


class OwnClient(models.ChatCompletionClient):
    """The application's own model client."""

    model = "house-1"
    response = result("well")

    async def create(self, messages: Any, **more: Any) -> Any:
        return self.response

    async def create_stream(self, messages: Any, **more: Any) -> AsyncIterator[Any]:
        yield self.response.content
        yield self.response

    async def close(self) -> None:
        return None

    def _unknown(self, *args: Any, **more: Any) -> Any:
        raise NotImplementedError

    actual_usage = total_usage = count_tokens = remaining_tokens = _unknown
    capabilities = model_info = property(lambda self: INFO)


class Forwarding(OwnClient):
    """Call another client."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def create(self, messages: Any, **more: Any) -> Any:
        return await self.inner.create(messages, **more)


async def streamed(client: Any, **more: Any) -> list[Any]:
    return [item async for item in client.create_stream(user_messages("go"), **more)]


@pytest.mark.parametrize("sdk", [True, False])
def test_tokens_equal_the_ledger_whoever_reports(
    sdk: bool,
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
    balanced: Callable[[], None],
) -> None:
    instrument(sdk=sdk)

    async def weather(city: str) -> str:
        """Tell the weather."""
        return "sunny"

    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]), "sunny", "well")
    first = assistant("first", client, tools=[weather], reflect_on_tool_use=True)
    run(round_robin(first, assistant("second", client)).run(task="go"))
    called = turn("first", CHAT, "execute_tool weather", CHAT)
    assert emission.tree() == ["invoke_workflow", *called, *turn("second")]
    balanced()
    agents = [s for s in emission.spans if s.name.startswith("invoke_agent")]
    sums: list[Any] = [(s.attributes or {})["gen_ai.usage.input_tokens"] for s in agents]
    assert sum(sums) == model.ledger.input_tokens
    reasons = [(s.attributes or {})["gen_ai.response.finish_reasons"] for s in emission.spans[:1]]
    assert reasons == [("tool_calls",)]


@pytest.mark.parametrize("sdk", [True, False])
def test_a_stream_is_one_call(
    sdk: bool,
    run: Any,
    client: Any,
    emission: Emission,
    instrument: Callable[..., None],
    balanced: Callable[[], None],
) -> None:
    instrument(sdk=sdk)
    items = run(streamed(client, extra_create_args={"temperature": 0.5}, **LENIENT))
    assert "".join(items[:-1]) == items[-1].content
    assert emission.names == [CHAT]
    attributes = emission.span.attributes or {}
    assert attributes["gen_ai.request.temperature"] == 0.5
    assert attributes["gen_ai.request.stream"] is True
    assert "gen_ai.response.time_to_first_chunk" in attributes
    balanced()


@pytest.mark.parametrize("sdk", [True, False])
def test_a_refusal_is_one_call(
    sdk: bool,
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(sdk=sdk)
    model.script_by(lambda request: Failure(401, message="planted-secret"))
    with pytest.raises(Exception, match="planted-secret"):
        run(client.create(user_messages("go")))
    attributes = emission.span.attributes or {}
    assert attributes["error.type"] == "openai.AuthenticationError"
    assert attributes["gen_ai.provider.name"] == "openai"
    assert "planted-secret" not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_request_that_the_client_rejects_was_not_sent(
    run: Any, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    with pytest.raises(ValueError, match="Extra create args"):
        run(client.create(user_messages("go"), extra_create_args={"none": 1}))
    assert (model.ledger.requests, emission.names) == (0, [])


@pytest.mark.usefixtures("instrumented")
def test_a_client_of_the_applications_own(run: Any, emission: Emission) -> None:
    run(assistant("first", OwnClient()).run(task="go"))
    assert emission.tree() == turn("first", "chat house-1", depth=0)
    attributes = dict(emission.spans[0].attributes or {})
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.model": "house-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 5,
    }


@pytest.mark.usefixtures("instrumented")
def test_a_client_of_the_applications_own_that_streams(run: Any, emission: Emission) -> None:
    assert len(run(streamed(OwnClient()))) == 2
    assert emission.names == ["chat house-1"]
    assert (emission.span.attributes or {})["gen_ai.usage.output_tokens"] == 5


@pytest.mark.parametrize("sdk", [True, False])
def test_a_client_that_calls_another_is_counted_once(
    sdk: bool,
    run: Any,
    client: Any,
    emission: Emission,
    instrument: Callable[..., None],
    balanced: Callable[[], None],
) -> None:
    instrument(sdk=sdk)
    run(Forwarding(client).create(user_messages("go")))
    assert emission.names == [CHAT]
    balanced()


@pytest.mark.usefixtures("instrumented")
def test_a_replayed_response_was_not_requested(run: Any, emission: Emission) -> None:
    client = replay.ReplayChatCompletionClient(
        ["well", result("called"), result("kept", cached=True)]
    )

    async def thrice() -> list[str]:
        return [(await client.create(user_messages("go"))).content for _ in range(3)]

    assert run(thrice()) == ["well", "called", "kept"]
    assert emission.names == ["chat"]  # the only result that is not marked as cached


@pytest.mark.usefixtures("instrumented")
def test_a_class_that_calls_its_base_is_counted_once(run: Any, emission: Emission) -> None:
    class Careful(OwnClient):
        async def create(self, messages: Any, **more: Any) -> Any:
            return await super().create(messages, **more)

    run(Careful().create(user_messages("go")))
    assert emission.names == ["chat house-1"]
