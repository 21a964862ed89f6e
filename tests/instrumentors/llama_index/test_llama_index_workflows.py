"""Workflows of the application: their steps, tasks, threads and loops."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow
from llama_index_parts import CHAT, WORKFLOWS, attributes, chat
from llama_index_runs import (
    FLOW,
    WRAPPED,
    WRAPS,
    Drafted,
    JokeFlow,
    Part,
    Run,
    agents,
    errors,
    failures,
    in_threads,
    started,
    step,
    tools,
    turn,
)
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")


def test_a_workflow_is_its_steps(llm: Any, run: Run, emission: Emission) -> None:
    async def main() -> Any:
        return await started(JokeFlow(llm), topic="tea")

    assert run(main) == "Hello from the scripted model."
    assert emission.tree() == FLOW
    assert attributes(emission, "step draft") == [{"otel_agents.step.type": "step"}]
    assert attributes(emission, "invoke_workflow JokeFlow") == [
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "JokeFlow",
        }
    ]


@in_threads
def test_a_step_in_a_thread(llm: Any, run: Run, emission: Emission) -> None:
    class Short(Workflow):
        @step
        def rate(self, event: StartEvent) -> StopEvent:
            return StopEvent(result=str(llm.complete("Hi")))

    async def main() -> None:
        await Short().run()

    run(main)
    assert emission.tree() == ["invoke_workflow Short", "  step rate", f"    {CHAT}"]


def test_a_workflow_in_a_step_is_below_it(llm: Any, run: Run, emission: Emission) -> None:
    class Outer(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            return StopEvent(result=await JokeFlow(llm).run(topic="tea"))

    async def main() -> None:
        await Outer().run()

    run(main)
    assert emission.tree() == [
        "invoke_workflow Outer",
        "  step only",
        *("    " + line for line in FLOW),
    ]


def test_steps_that_run_at_once_are_siblings(llm: Any, run: Run, emission: Emission) -> None:
    class Fan(Workflow):
        @step
        async def split(self, ctx: Context, event: StartEvent) -> Part | None:
            for number in range(2):
                ctx.send_event(Part(number=number))
            return None

        @step(num_workers=2)
        async def work(self, event: Part) -> Drafted:
            return Drafted(text=str(await llm.acomplete("Hi")))

        @step(num_workers=1)
        async def join(self, ctx: Context, event: Drafted) -> StopEvent | None:
            found = ctx.collect_events(event, [Drafted, Drafted])
            return None if found is None else StopEvent(result=len(found))

    async def main() -> Any:
        return await started(Fan())

    assert run(main) == 2
    tree = emission.tree()
    assert sorted(tree[1:]) == sorted(
        ["  step split", *["  step work", f"    {CHAT}", "  step join"] * 2]
    )
    assert emission.traces() == 1


def test_a_failing_step(run: Run, emission: Emission) -> None:
    class Failing(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            raise LookupError("secret")

    async def main() -> None:
        await Failing().run()

    with pytest.raises(failures.WorkflowRuntimeError if WRAPS else LookupError):
        run(main)
    assert errors(emission) == {
        "invoke_workflow Failing": WRAPPED if WRAPS else "LookupError",
        "step only": "LookupError",
    }
    assert "secret" not in emission.texts()


# Tasks, threads and loops.


def test_a_cancelled_workflow(run: Run, emission: Emission) -> None:
    class Waiting(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            started_step.set()
            await asyncio.Event().wait()
            return StopEvent()

    started_step = asyncio.Event()

    async def main() -> None:
        handler: Any = started(Waiting())
        await started_step.wait()
        await handler.cancel_run()
        with pytest.raises(failures.WorkflowCancelledByUser):
            await handler

    run(main)
    assert emission.tree() == ["invoke_workflow Waiting", "  step only"]
    cancelled = {"step only": "asyncio.exceptions.CancelledError"}
    assert errors(emission) == (cancelled if Version("2.16") > WORKFLOWS else {})


@in_threads
def test_a_workflow_in_a_loop_of_a_thread_is_below_what_runs_it(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    async def flow() -> Any:
        return await started(JokeFlow(chat(model)), topic="tea")

    def consult(topic: str) -> str:
        """Run a workflow in a loop of its own."""
        return str(asyncio.run(flow()))

    tool = tools.FunctionTool.from_defaults(fn=consult)
    agent = agents.FunctionAgent(name="helper", tools=[tool], llm=llm)

    async def main() -> None:
        await agent.run("Joke.")

    run(main)
    first, request, call, last = turn("helper", calls=("consult",))
    assert emission.tree() == [first, request, call, *("    " + line for line in FLOW), last]
    assert emission.traces() == 1


def test_a_workflow_that_nobody_awaits_ends(llm: Any, run: Run, emission: Emission) -> None:
    async def main() -> None:
        handler: Any = started(JokeFlow(llm), topic="tea")
        async for _ in handler.stream_events():
            pass
        await handler

    run(main)
    assert emission.tree() == FLOW


async def some(stream: Any) -> None:
    """Read the beginning of a stream of events."""
    async for _ in stream:
        break


class Talking(Workflow):
    """A workflow that reports what it does."""

    llm: Any = None

    @step
    async def only(self, ctx: Context, event: StartEvent) -> StopEvent:
        for number in range(3):
            ctx.write_event_to_stream(Part(number=number))
        return StopEvent(result=str(await self.llm.acomplete("Hi")))


def test_events_that_are_not_read_to_the_end(
    llm: Any, run: Run, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Talking, "llm", llm)

    async def main() -> Any:
        handler: Any = started(Talking())
        await some(handler.stream_events())
        return await handler

    assert run(main) == "Hello from the scripted model."
    assert emission.tree() == ["invoke_workflow Talking", "  step only", f"    {CHAT}"]


class Streaming(Workflow):
    """A workflow that returns a stream, which its caller reads."""

    started: Any = None

    @step
    async def write(self, event: StartEvent) -> StopEvent:
        return StopEvent(result=await self.started())


async def synthesized(llm: Any) -> Any:
    """Start a streamed response over a document, as a query engine does."""
    core: Any = import_module("llama_index.core")
    synthesizer = core.get_response_synthesizer(llm=llm, streaming=True, use_async=True)
    schema: Any = import_module("llama_index.core.schema")
    nodes = [schema.NodeWithScore(node=schema.TextNode(text="red"))]
    return (await synthesizer.asynthesize("Which?", nodes=nodes)).async_response_gen()


STREAMS: dict[str, Callable[[Any], Any]] = {
    "model": lambda llm: llm.astream_complete("Hi"),
    "predicted": lambda llm: llm.astream(PromptTemplate("Hi")),
    "synthesizer": synthesized,
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_is_read_after_the_run_is_in_its_trace(
    stream: Callable[[Any], Any],
    llm: Any,
    run: Run,
    emission: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Streaming, "started", staticmethod(lambda: stream(llm)))

    async def main() -> None:
        async for _ in await started(Streaming()):
            pass

    run(main)
    assert emission.tree() == ["invoke_workflow Streaming", "  step write", f"    {CHAT}"]
    assert emission.traces() == 1


def test_what_follows_a_start_is_no_part_of_the_run(llm: Any, run: Run, emission: Emission) -> None:
    async def main() -> None:
        handler: Any = started(JokeFlow(llm), topic="tea")
        await llm.acomplete("Meanwhile.")
        await handler

    run(main)
    assert sorted(emission.tree()) == sorted([*FLOW, CHAT])
    assert emission.tree().index(CHAT) in (0, len(FLOW))
    assert emission.traces() == 2


def test_a_workflow_that_takes_too_long(run: Run, emission: Emission) -> None:
    class Slow(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            await asyncio.Event().wait()
            return StopEvent()

    async def main() -> None:
        await Slow(timeout=0.05).run()

    with pytest.raises(failures.WorkflowTimeoutError):
        run(main)
    assert emission.tree() == ["invoke_workflow Slow", "  step only"]
    timeout = f"{failures.__name__}.WorkflowTimeoutError"
    assert errors(emission)["invoke_workflow Slow"] == timeout


def test_a_step_that_is_tried_again(run: Run, emission: Emission) -> None:
    policies: Any = import_module("llama_index.core.workflow.retry_policy")

    class Shaky(Workflow):
        tried = 0

        @step(retry_policy=policies.ConstantDelayRetryPolicy(delay=0.0, maximum_attempts=3))
        async def only(self, event: StartEvent) -> StopEvent:
            self.tried += 1
            if self.tried == 1:
                raise LookupError
            return StopEvent(result=self.tried)

    async def main() -> Any:
        return await started(Shaky())

    assert run(main) == 2
    assert emission.tree() == ["invoke_workflow Shaky", "  step only", "  step only"]
    steps = attributes(emission, "step only")
    assert [found.get("error.type") for found in steps] == ["LookupError", None]


def test_jobs_of_a_step(llm: Any, run: Run, emission: Emission) -> None:
    from llama_index.core.async_utils import run_jobs

    class Jobs(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            await run_jobs([llm.acomplete("Hi") for _ in range(3)], workers=2)
            return StopEvent()

    async def main() -> None:
        await Jobs().run()

    run(main)
    assert emission.tree() == ["invoke_workflow Jobs", "  step only", *[f"    {CHAT}"] * 3]
    assert emission.traces() == 1


@in_threads
def test_a_loop_of_its_own_in_a_step(run: Run, model: ScriptedModel, emission: Emission) -> None:
    module: Any = import_module("llama_index.core.async_utils")  # its types are partly unknown

    async def called() -> None:
        await chat(model).acomplete("Hi")

    class Loops(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            module.asyncio_run(called())
            return StopEvent()

    async def main() -> None:
        await Loops().run()

    run(main)
    assert emission.tree() == ["invoke_workflow Loops", "  step only", f"    {CHAT}"]
