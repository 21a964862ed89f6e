"""Content: what programs, models, tools and retrievers get and return, only if it is enabled."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from dspy_programs import CHAT, VERSION, Essay, Reply, dspy, essay, examples, fields, weather
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
NEW = Version("2.6.20") <= VERSION


def content(emission: Emission, name: str) -> dict[str, Any]:
    """Return the content attributes of the first span of this name."""
    span = next(span for span in emission.spans if span.name == name)
    ends = ("messages", "arguments", "result", "documents", "text")
    return {
        key: json.loads(str(value)) if str(value)[:1] in '[{"' else value
        for key, value in (span.attributes or {}).items()
        if key.endswith(ends)
    }


def text(role: str, value: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": value}]}


@pytest.mark.usefixtures("with_content")
def test_a_program_and_its_models(model: ScriptedModel, emission: Emission) -> None:
    essay(model)
    Essay()(topic="Why?")
    assert content(emission, "invoke_workflow Essay") == {
        "gen_ai.input.messages": [text("user", '{"topic": "Why?"}')],
        "gen_ai.output.messages": [
            {**text("assistant", '{"short": "P"}'), "finish_reason": "stop"}
        ],
    }
    chat = content(emission, CHAT)
    assert [one["role"] for one in chat["gen_ai.input.messages"]][-1] == "user"
    assert "Why?" in chat["gen_ai.input.messages"][-1]["parts"][0]["content"]
    (output,) = chat["gen_ai.output.messages"]
    assert output["finish_reason"] == "stop"
    assert "Paris" in output["parts"][0]["content"]


def passages(query: Any, k: int = 3, **options: Any) -> list[Any]:
    """Return one passage, as a model of retrieval."""
    dotdict: Any = import_module("dspy.dsp.utils" if NEW else "dsp.utils").dotdict
    return [dotdict({"long_text": SECRET, "score": 1.0})]


def retrieve() -> None:
    with dspy.context(rm=passages) if NEW else dspy.settings.context(rm=passages):
        dspy.Retrieve(k=2)(SECRET)


@pytest.mark.usefixtures("with_content")
def test_a_retriever(emission: Emission) -> None:
    retrieve()
    assert emission.span.name == "retrieval"
    assert content(emission, "retrieval") == {
        "gen_ai.retrieval.query.text": SECRET,
        "gen_ai.retrieval.documents": [{"content": SECRET}],
    }
    assert (emission.span.attributes or {})["gen_ai.retrieval.top_k"] == 2


class Nested(dspy.Retrieve):
    """A retriever of the application's, which calls another one."""

    def forward(self, query: str, **options: Any) -> Any:
        return dspy.Retrieve(k=1)(query)


@pytest.mark.usefixtures("instrumented")
def test_a_retriever_that_calls_another_is_one_search(emission: Emission) -> None:
    with dspy.context(rm=passages) if NEW else dspy.settings.context(rm=passages):
        Nested(k=5)("q")
    assert emission.tree() == ["retrieval"]


def test_nothing_is_recorded_by_default(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(OTEL_AGENTS_METRICS="both", OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT="true")
    model.script(fields(reasoning=SECRET, reply=SECRET), fields(short=SECRET))
    Essay()(topic=SECRET)
    retrieve()
    assert SECRET not in emission.texts()


@pytest.mark.skipif(not NEW, reason="no tools")
@pytest.mark.usefixtures("with_content")
def test_a_tool(emission: Emission) -> None:
    def add(a: int, b: int) -> int:
        return a + b

    assert dspy.Tool(add)(a=1, b=2) == 3
    assert content(emission, "execute_tool add") == {
        "gen_ai.tool.call.arguments": {"a": 1, "b": 2},
        "gen_ai.tool.call.result": {"result": 3},
    }


@pytest.mark.skipif(not NEW, reason="no tools")
@pytest.mark.usefixtures("with_content")
def test_an_agent_returns_the_outputs_of_its_signature(
    model: ScriptedModel, emission: Emission
) -> None:
    model.script(
        fields(next_thought="t", next_tool_name="finish", next_tool_args="{}"),
        fields(reasoning="r", reply="Sunny"),
    )
    assert dspy.ReAct(Reply, tools=[weather])(topic="q").trajectory
    assert content(emission, "invoke_agent Reply")["gen_ai.output.messages"] == [
        {**text("assistant", '{"reasoning": "r", "reply": "Sunny"}'), "finish_reason": "stop"}
    ]


@pytest.mark.skipif(not hasattr(dspy, "ReActV2"), reason="came later")
@pytest.mark.usefixtures("with_content")
def test_an_agent_that_submits(model: ScriptedModel, emission: Emission) -> None:
    call, submit = ToolCall("weather", {"city": "Bern"}), ToolCall("submit", {"reply": "Sunny"})
    model.script(Response(tool_calls=[call]), Response(tool_calls=[submit]))
    found = dspy.ReActV2(Reply, tools=[weather])(topic="q")
    assert (found.reply, len(found.history.messages) > 1) == ("Sunny", True)
    assert emission.tree() == [
        *("invoke_agent Reply", f"  {CHAT}", "  execute_tool weather", f"  {CHAT}"),
    ]
    (output,) = content(emission, "invoke_agent Reply")["gen_ai.output.messages"]
    (part,) = output["parts"]
    assert json.loads(part["content"])["reply"] == "Sunny"
    assert "Bern" not in part["content"]


@pytest.mark.skipif(not hasattr(dspy, "TypedPredictor"), reason="it needs a program that is gone")
@pytest.mark.usefixtures("with_content")
def test_an_agent_with_tools_of_another_library(model: ScriptedModel, emission: Emission) -> None:
    avatar: Any = import_module("dspy.predict.avatar")

    class Described(dspy.Signature):
        """Reply the topic."""

        topic: str = dspy.InputField(desc="t")
        reply: str = dspy.OutputField(desc="r")

    class Look:
        def run(self, query: str) -> str:
            return f"seen {query}"

    used, done = ({"tool_name": name, "tool_input_query": "Bern"} for name in ("look", "Finish"))
    model.script(
        fields(action_1=json.dumps(used)), fields(action_2=json.dumps(done)), fields(reply="Sunny")
    )
    tools = [avatar.Tool(tool=Look(), name="look", desc="looks it up")]
    assert avatar.Avatar(Described, tools)(topic="q").reply == "Sunny"
    assert emission.tree() == [
        *("invoke_agent Described", f"  {CHAT}", "  execute_tool look", f"  {CHAT}", f"  {CHAT}")
    ]
    assert content(emission, "execute_tool look") == {
        "gen_ai.tool.call.arguments": {"input": "Bern"},
        "gen_ai.tool.call.result": {"result": "seen Bern"},
    }


@pytest.mark.skipif(NEW, reason="the agents of before tools")
def test_an_agent_of_before_tools(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")

    class Look:
        name, input_variable, desc = "Look", "query", "looks it up"

        def __call__(self, query: str) -> list[str]:
            return [f"seen {query}"]

    model.script(
        fields(Thought_1="t", Action_1="Look[Bern]"),
        fields(Thought_2="t", Action_2="Finish[Sunny]"),
    )
    assert dspy.ReAct(Reply, tools=[Look()])(topic="q").reply == "Sunny"
    assert emission.tree() == [
        "invoke_agent Reply",
        f"  {CHAT}",
        "  execute_tool Look",
        f"  {CHAT}",
    ]
    assert content(emission, "execute_tool Look") == {
        "gen_ai.tool.call.arguments": {"input": "Bern"},
        "gen_ai.tool.call.result": {"result": ["seen Bern"]},
    }


@pytest.mark.skipif(Version("3") > VERSION, reason="elsewhere in DSPy")
@pytest.mark.usefixtures("with_content")
def test_a_trial_has_the_output_of_its_program(model: ScriptedModel, emission: Emission) -> None:
    """An optimizer makes the program return its steps too."""
    module: Any = import_module("dspy.teleprompt.bootstrap_trace")
    model.script(fields(reply="Paris"))
    (kept,) = module.bootstrap_trace_data(dspy.Predict(Reply), examples(1), num_threads=1)
    assert len(kept["trace"]) == 1
    assert content(emission, "invoke_workflow Reply")["gen_ai.output.messages"] == [
        {**text("assistant", '{"reply": "Paris"}'), "finish_reason": "stop"}
    ]
