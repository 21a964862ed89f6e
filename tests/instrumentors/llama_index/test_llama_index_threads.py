"""Threads under ``opentelemetry-instrument``: the trace continues in them, in every version."""

from __future__ import annotations

from pathlib import Path

from example_runs import drawn_names
from instrumented import instrumented, script
from llama_index_parts import CHAT, CORE, MODEL
from packaging.version import Version

from otel_agents.testing.scripted_model import ScriptedModel

START = f"""
import asyncio

from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI

llm = OpenAI(model="{MODEL}")
"""
TOOL = """
def consult(topic: str) -> str:
    return str(llm.complete(topic))

asyncio.run(FunctionTool.from_defaults(fn=consult).acall(topic="tea"))
"""
STEP = """
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step

class Short(Workflow):
    @step
    def rate(self, event: StartEvent) -> StopEvent:
        return StopEvent(result=str(llm.complete("Hi")))

async def main() -> None:
    await Short().run()

asyncio.run(main())
"""
LOOP = """
from llama_index.core.async_utils import asyncio_run
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step

class Loops(Workflow):
    @step
    async def only(self, event: StartEvent) -> StopEvent:
        asyncio_run(llm.acomplete("Hi"))
        return StopEvent()

async def main() -> None:
    await Loops().run()

asyncio.run(main())
"""
PROGRAMS = {
    "tool": (TOOL, ["execute_tool consult", f"   {CHAT}"]),
    "step": (STEP, ["invoke_workflow Short", "   step rate", f"      {CHAT}"]),
    "loop": (LOOP, ["invoke_workflow Loops", "   step only", f"      {CHAT}"]),
}


def test_a_thread_keeps_the_trace(model: ScriptedModel, tmp_path: Path) -> None:
    """In one process, whose start takes longer than all that it does."""
    programs = PROGRAMS.values() if Version("0.11") < CORE else [PROGRAMS["tool"]]
    text = "".join(text for text, _ in programs)
    tree = [line for _, lines in programs for line in lines]
    variables = {
        "OPENAI_BASE_URL": model.openai_url,
        "OPENAI_API_BASE": model.openai_url,
        "OPENAI_API_KEY": "none",
        "OTEL_TRACES_EXPORTER": "tree",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    program = script(tmp_path, START + text)
    done = instrumented(program, variables, installed=True, seconds=240)
    assert done.status == 0, done.err
    assert drawn_names(done.err).splitlines() == tree
