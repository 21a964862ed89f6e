"""Agents, and the programs of DSPy that run others: no step of their own within them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from dspy_programs import CHAT, VERSION, Essay, Reply, dspy, fields, reply_by_fields, weather
from opentelemetry.trace import StatusCode
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

needs_code = pytest.mark.skipif(Version("3.4") > VERSION, reason="another interpreter")
pytestmark = pytest.mark.usefixtures("instrumented")

AGENT = ["invoke_agent Reply", f"  {CHAT}", "  execute_tool weather", f"  {CHAT}", f"  {CHAT}"]


def turn(tool: str, **arguments: Any) -> Any:
    return fields(next_thought="t", next_tool_name=tool, next_tool_args=json.dumps(arguments))


def script(model: ScriptedModel) -> None:
    model.script(turn("weather", city="Bern"), turn("finish"), fields(reasoning="r", reply="Sunny"))


def sync(program: Any) -> Any:
    return program(topic="q")


def asynchronous(program: Any) -> Any:
    async def main() -> Any:
        return await program.acall(topic="q")

    return asyncio.run(main())


@pytest.mark.parametrize("way", [sync, asynchronous])
def test_an_agent_is_its_calls_of_models_and_tools(
    way: Callable[[Any], Any], model: ScriptedModel, emission: Emission
) -> None:
    script(model)
    assert way(dspy.ReAct(Reply, tools=[weather])).reply == "Sunny"
    assert emission.tree() == AGENT
    assert emission.traces() == 1
    found = {span.name: dict(span.attributes or {}) for span in emission.spans}
    assert found["invoke_agent Reply"] == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "Reply",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "gen_ai.usage.output_tokens": model.ledger.output_tokens,
    }
    assert found["execute_tool weather"] == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.agent.name": "Reply",
    }


def test_an_agent_within_a_program(model: ScriptedModel, emission: Emission) -> None:
    class Guide(dspy.Module):
        def __init__(self) -> None:
            dspy.Module.__init__(self)
            self.agent = dspy.ReAct("topic -> reply", tools=[weather])

        def forward(self, topic: str) -> Any:
            return self.agent(topic=topic)

    script(model)
    Guide()(topic="q")
    agent = ["invoke_agent", *AGENT[1:]]
    assert emission.tree() == ["invoke_workflow Guide", *(f"  {line}" for line in agent)]


def test_a_program_in_a_tool_is_a_step(model: ScriptedModel, emission: Emission) -> None:
    def look_up(city: str) -> str:
        return str(dspy.Predict("city -> country")(city=city).country)

    model.script(
        turn("look_up", city="Bern"),
        fields(country="Switzerland"),
        turn("finish"),
        fields(reasoning="r", reply="Swiss"),
    )
    dspy.ReAct(Reply, tools=[look_up])(topic="q")
    assert emission.tree() == [
        "invoke_agent Reply",
        f"  {CHAT}",
        "  execute_tool look_up",
        "    predict city -> country",
        f"      {CHAT}",
        f"  {CHAT}",
        f"  {CHAT}",
    ]


async def capital(country: str) -> str:
    """Return the capital, which a program knows."""
    return str((await dspy.Predict("country -> capital").acall(country=country)).capital)


ASYNC_TOOL = [
    "invoke_agent Reply",
    f"  {CHAT}",
    "  execute_tool capital",
    "    predict country -> capital",
    f"      {CHAT}",
    f"  {CHAT}",
    f"  {CHAT}",
]


def script_capital(model: ScriptedModel) -> None:
    model.script(
        turn("capital", country="Italy"),
        fields(capital="Rome"),
        turn("finish"),
        fields(reasoning="r", reply="Rome"),
    )


def test_an_async_tool(model: ScriptedModel, emission: Emission) -> None:
    script_capital(model)
    asynchronous(dspy.ReAct(Reply, tools=[capital]))
    assert emission.tree() == ASYNC_TOOL
    assert emission.traces() == 1


def test_an_async_tool_of_a_sync_agent(model: ScriptedModel, emission: Emission) -> None:
    """DSPy runs it in a loop of its own, if it may."""
    script_capital(model)
    with dspy.context(allow_tool_async_sync_conversion=True):
        sync(dspy.ReAct(Reply, tools=[capital]))
    assert emission.tree() == ASYNC_TOOL
    assert emission.traces() == 1


def test_an_async_tool_that_may_not_run(model: ScriptedModel, emission: Emission) -> None:
    model.script(turn("capital", country="I"), turn("finish"), fields(reasoning="r", reply="No"))
    sync(dspy.ReAct(Reply, tools=[capital]))
    (tool,) = (span for span in emission.spans if span.name == "execute_tool capital")
    assert (tool.attributes or {})["error.type"] == "ValueError"
    assert emission.tree() == [line.replace("weather", "capital") for line in AGENT]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_tool_with_wrong_arguments(model: ScriptedModel, emission: Emission) -> None:
    model.script(turn("weather", town="B"), turn("finish"), fields(reasoning="r", reply="No"))
    program = sync(dspy.ReAct(Reply, tools=[weather]))
    assert "town" in program.trajectory["observation_0"]
    (tool,) = (span for span in emission.spans if span.name == "execute_tool weather")
    assert (tool.attributes or {})["error.type"] == "ValueError"
    assert emission.tree() == AGENT


def unrewarded(inputs: Any, prediction: Any) -> float:
    return 0.0


@pytest.mark.parametrize("program", ["BestOfN", "Refine"])
def test_a_program_that_is_run_again(
    program: str, model: ScriptedModel, emission: Emission
) -> None:
    """It has the name of the application's program, whose runs are its steps."""
    rewards = iter([0.0, 1.0])

    def rewarded(inputs: Any, prediction: Any) -> float:
        return next(rewards)

    reply_by_fields(model)
    again = getattr(dspy, program)(module=Essay(), N=2, reward_fn=rewarded, threshold=1.0)
    assert again(topic="q").short
    run = [
        "  module Essay",
        *("    chain_of_thought Reply", f"      {CHAT}"),
        *("    predict reply -> short", f"      {CHAT}"),
    ]
    feedback = [f"  {CHAT}"] if program == "Refine" else []
    assert emission.tree() == ["invoke_workflow Essay", *run, *feedback, *run]


def test_a_program_that_is_run_again_in_another(model: ScriptedModel, emission: Emission) -> None:
    class Careful(dspy.Module):
        def __init__(self) -> None:
            dspy.Module.__init__(self)
            self.best = dspy.BestOfN(dspy.Predict(Reply), 2, unrewarded, 1.0)

        def forward(self, topic: str) -> Any:
            return self.best(topic=topic)

    reply_by_fields(model)
    Careful()(topic="q")
    assert emission.tree() == [
        "invoke_workflow Careful",
        "  best_of_n Reply",
        *[f"    {CHAT}"] * 2,
    ]


def test_an_ensemble_has_the_name_that_its_programs_have_in_common(
    model: ScriptedModel, emission: Emission
) -> None:
    reply_by_fields(model)
    same = [dspy.Predict(Reply), dspy.ChainOfThought(Reply)]
    for programs in (same, [*same, dspy.Predict("topic -> short")]):
        dspy.Ensemble(reduce_fn=None).compile(programs)(topic="q")
    assert emission.tree() == [
        *("compile Ensemble", "invoke_workflow Reply", *[f"  {CHAT}"] * 2),
        *("compile Ensemble", "invoke_workflow", *[f"  {CHAT}"] * 3),
    ]


def test_a_comparison_of_chains(model: ScriptedModel, emission: Emission) -> None:
    reply_by_fields(model)
    chains = [dspy.Prediction(reasoning="r", reply=reply) for reply in ("Paris", "Rome", "Bern")]
    dspy.MultiChainComparison(Reply, M=3)(chains, topic="q")
    assert emission.tree() == ["invoke_workflow Reply", f"  {CHAT}"]


def test_a_tool_that_fails(model: ScriptedModel, emission: Emission) -> None:
    def broken(city: str) -> str:
        raise LookupError("secret")

    model.script(turn("broken", city="Bern"), turn("finish"), fields(reasoning="r", reply="No"))
    dspy.ReAct(Reply, tools=[broken])(topic="q")
    (tool,) = (span for span in emission.spans if span.name == "execute_tool broken")
    assert tool.status.status_code is StatusCode.ERROR
    assert (tool.attributes or {})["error.type"] == "LookupError"
    assert "secret" not in emission.texts()


class Interpreter:
    """An interpreter that runs nothing."""

    tools: dict[str, Any]

    def __init__(self, *results: Any) -> None:
        self.tools = {}
        self._results = list(results)

    def start(self) -> None: ...

    def shutdown(self) -> None: ...

    def execute(self, code: str, variables: Any = None) -> Any:
        if code.startswith("def "):
            return None  # the source of a tool
        result = self._results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


class Exploring(Interpreter):
    """An interpreter into which an RLM puts code of its own first."""

    def execute(self, code: str, variables: Any = None) -> Any:
        return super().execute(code, variables) if code.startswith("print") else None


@needs_code
def test_an_agent_that_explores_by_code(model: ScriptedModel, emission: Emission) -> None:
    final: Any = import_module("dspy.primitives.code_interpreter").FinalOutput
    model.script(*(fields(reasoning="r", code="```python\nprint(1)\n```") for _ in range(2)))
    interpreter = Exploring("[Error] secret", final({"reply": "Paris"}))
    agent = dspy.RLM(Reply, interpreter_factory=lambda: interpreter)
    assert agent(topic="q").reply == "Paris"
    assert emission.tree() == [
        "invoke_agent Reply",
        *(f"  {CHAT}", "  execute_tool code_execution") * 2,
    ]
    codes = [
        span.status.status_code
        for span in emission.spans
        if span.name == "execute_tool code_execution"
    ]
    assert codes == [StatusCode.ERROR, StatusCode.UNSET]


@needs_code
@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("invoke_agent Reply", lambda: dspy.CodeAct(Reply, tools=[weather])),
        ("invoke_workflow Reply", lambda: dspy.ProgramOfThought(Reply)),
    ],
)
def test_code_that_a_model_wrote(
    name: str, program: Callable[[], Any], model: ScriptedModel, emission: Emission
) -> None:
    errors: Any = import_module("dspy.primitives.code_interpreter")
    model.script(
        fields(reasoning="r", generated_code="```python\n1/0\n```", finished="False"),
        fields(reasoning="r", generated_code="```python\nprint(2)\n```", finished="True"),
        fields(reasoning="r", reply="2"),
    )
    failed = getattr(errors, "CodeExecutionError", errors.CodeInterpreterError)("secret")
    program()(Interpreter(failed, "2"), topic="q")
    assert emission.tree() == [
        name,
        *(f"  {CHAT}", "  execute_tool code_execution"),
        *(f"  {CHAT}", "  execute_tool code_execution"),
        f"  {CHAT}",
    ]
    codes = [
        span.status.status_code
        for span in emission.spans
        if span.name == "execute_tool code_execution"
    ]
    assert codes == [StatusCode.ERROR, StatusCode.UNSET]
    assert "secret" not in emission.texts()
