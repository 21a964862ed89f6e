"""Core agents respond to messages in the context of the sender."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, assistant, round_robin, turn, user_messages

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

core: Any = import_module("autogen_core")
tool_agent: Any = import_module("autogen_core.tool_agent")
core_tools: Any = import_module("autogen_core.tools")

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
SECRET = "planted-secret"


class Caller(core.RoutedAgent):
    """Call a model, and send or publish the response to another agent, if any."""

    def __init__(self, client: Any, other: str | None = None, *, aloud: bool = False) -> None:
        core.RoutedAgent.__init__(self, "d")
        self.client = client
        self.other = other
        self.aloud = aloud

    async def on_message_impl(self, message: Any, ctx: Any) -> Any:
        response = (await self.client.create(user_messages(message))).content
        if self.other is None:
            return response
        if self.aloud:
            await self.publish_message(response, core.TopicId(self.other, "default"))
            return None
        return await self.send_message(response, core.AgentId(self.other, "default"))


@pytest.fixture
def request_of(emission: Emission) -> Callable[..., Any]:
    """Send a message in an application's span, on a runtime that was started in another."""
    tracer = emission.tracer_provider.get_tracer("application")

    async def sent(register: Callable[[Any], Any], message: Any = "go", to: str = "first") -> Any:
        runtime = core.SingleThreadedAgentRuntime()
        await register(runtime)
        with tracer.start_as_current_span("start"):
            runtime.start()
        with tracer.start_as_current_span("request"):
            response = await runtime.send_message(message, core.AgentId(to, "default"))
        await runtime.stop_when_idle()
        return response

    return sent


def first_and_second(client: Any, **more: Any) -> Callable[[Any], Any]:
    async def register(runtime: Any) -> None:
        await Caller.register(runtime, "first", lambda: Caller(client, "second", **more))
        await Caller.register(runtime, "second", lambda: Caller(client))
        await runtime.add_subscription(core.TypeSubscription("second", "second"))

    return register


@pytest.mark.usefixtures("instrumented")
def test_an_agent_that_waits_for_another(
    run: Any,
    client: Any,
    request_of: Callable[..., Any],
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    assert run(request_of(first_and_second(client)))
    assert emission.tree() == [
        "start",
        "request",
        "  invoke_agent first",
        f"    {CHAT}",
        "    invoke_agent second",
        f"      {CHAT}",
    ]
    balanced()


@pytest.mark.usefixtures("instrumented")
def test_an_agent_that_publishes(
    run: Any,
    client: Any,
    request_of: Callable[..., Any],
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    """Nothing awaits the agents that get the message."""
    assert run(request_of(first_and_second(client, aloud=True))) is None
    assert emission.tree() == [
        "start",
        "request",
        "  invoke_agent first",
        f"    {CHAT}",
        "  invoke_agent second",
        f"    {CHAT}",
    ]
    balanced()


@pytest.mark.usefixtures("instrumented")
def test_agents_that_publish_to_each_other_outside_of_any_span(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    """All work that follows from one message is one trace, however often it is forwarded."""

    async def main() -> None:
        runtime = core.SingleThreadedAgentRuntime()
        for name, other in (("first", "second"), ("second", "third"), ("third", None)):
            make = functools.partial(Caller, client, other, aloud=True)
            await Caller.register(runtime, name, make)
            await runtime.add_subscription(core.TypeSubscription(name, name))
        runtime.start()
        await runtime.send_message("go", core.AgentId("first", "default"))
        await runtime.stop_when_idle()

    run(main())
    assert emission.tree() == [
        *("invoke_agent first", f"  {CHAT}"),
        *("  invoke_agent second", f"    {CHAT}"),
        *("  invoke_agent third", f"    {CHAT}"),
    ]
    balanced()


def test_its_input_and_output(
    run: Any,
    client: Any,
    model: ScriptedModel,
    request_of: Callable[..., Any],
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    model.script("requested", SECRET)
    assert run(request_of(first_and_second(client))) == SECRET
    (span,) = [span for span in emission.spans if span.name == "invoke_agent first"]
    attributes: Any = span.attributes
    assert json.loads(attributes["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": "go"}]}
    ]
    assert json.loads(attributes["gen_ai.output.messages"]) == [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": SECRET}],
            "finish_reason": "stop",
        }
    ]


@pytest.mark.usefixtures("instrumented")
def test_a_core_agent_that_delegates_to_a_chat_agent(
    run: Any,
    client: Any,
    request_of: Callable[..., Any],
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    messages: Any = import_module("autogen_agentchat.messages")

    class Delegating(core.RoutedAgent):
        async def on_message_impl(self, message: Any, ctx: Any) -> str:
            user_messages = [messages.TextMessage(content=message, source="user")]
            response = await assistant("helper", client).on_messages(
                user_messages, ctx.cancellation_token
            )
            return str(response.chat_message.content)

    async def register(runtime: Any) -> None:
        await Delegating.register(runtime, "first", lambda: Delegating("d"))

    run(request_of(register))
    inner = ["  invoke_agent first", "    invoke_agent helper", f"      {CHAT}"]
    assert emission.tree() == ["start", "request", *inner]
    balanced()


@pytest.mark.usefixtures("instrumented")
def test_a_core_agent_that_runs_a_team(
    run: Any,
    client: Any,
    request_of: Callable[..., Any],
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    """Messages that a team publishes to its members are processed within the team."""

    class Leading(core.RoutedAgent):
        __module__ = "autogen_application"

        async def on_message_impl(self, message: Any, ctx: Any) -> str:
            team = round_robin(assistant("bob", client), assistant("carol", client))
            return str((await team.run(task=message)).messages[-1].content)

    async def register(runtime: Any) -> None:
        await Leading.register(runtime, "first", lambda: Leading("d"))

    run(request_of(register))
    assert emission.tree() == [
        *("start", "request", "  invoke_agent first", "    invoke_workflow"),
        *(*turn("bob", depth=3), *turn("carol", depth=3)),
    ]
    balanced()


@pytest.mark.usefixtures("instrumented")
def test_an_agent_of_autogens_own_that_executes_tools(
    run: Any, request_of: Callable[..., Any], emission: Emission
) -> None:
    async def weather(city: str) -> str:
        return f"sunny in {city}"

    async def register(runtime: Any) -> None:
        tools = [core_tools.FunctionTool(weather, description="Tells the weather.")]
        agent = tool_agent.ToolAgent
        await agent.register(runtime, "tools", lambda: agent("d", tools))

    call = core.FunctionCall(id="call_1", name="weather", arguments='{"city": "Bern"}')
    response = run(request_of(register, call, "tools"))
    assert response.content == "sunny in Bern"
    assert emission.tree() == ["start", "request", "  execute_tool weather"]
