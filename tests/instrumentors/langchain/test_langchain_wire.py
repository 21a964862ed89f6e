"""Packages of providers without the instrumentor: what each sends is served, and billed."""

from __future__ import annotations

import pytest
from langchain_chats import CHATS
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

CALL = ToolCall("weather", {"city": "Bern"})
PROVIDERS = pytest.mark.parametrize("provider", CHATS)


@tool
def weather(city: str) -> str:
    """Return the weather in a city."""
    return f"sunny in {city}"


def counted(response: AIMessage) -> tuple[int, int]:
    usage = response.usage_metadata
    return (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)


@PROVIDERS
def test_a_call_of_a_tool_is_served(provider: str, model: ScriptedModel) -> None:
    model.script(Response(tool_calls=[CALL]), "Sunny today.")
    chat = CHATS[provider](model).bind_tools([weather])
    first = chat.invoke("Weather in Bern?")
    (call,) = first.tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Bern"})
    last = chat.invoke(["Weather in Bern?", first, weather.invoke(call)])
    assert last.text == "Sunny today."
    bill = model.ledger.wait(2, ended=True)
    assert [(it.input_tokens, it.output_tokens) for it in bill.entries] == [
        counted(first),
        counted(last),
    ]


@PROVIDERS
def test_a_stream_is_served(provider: str, model: ScriptedModel) -> None:
    model.script("Sunny today.")
    first, *others = CHATS[provider](model).stream("Hi")
    for chunk in others:
        first += chunk
    assert first.text == "Sunny today."
    (entry,) = model.ledger.wait(1, ended=True).entries
    assert entry.streamed
    assert (entry.input_tokens, entry.output_tokens) == counted(first)


@PROVIDERS
def test_a_refused_request_raises(provider: str, model: ScriptedModel) -> None:
    model.script(Failure(400, message="No such thing."))
    with pytest.raises(Exception, match=r"No such thing\."):
        CHATS[provider](model).invoke("Hi")
    assert [entry.http_status for entry in model.ledger.entries] == [400]
