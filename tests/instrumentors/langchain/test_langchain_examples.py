"""The example graphs under ``opentelemetry-instrument``: what each one does is in its trace."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from instrumented import plain_environ

from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall

EXAMPLES = Path(__file__).parents[3] / "examples/graphs"
HEAD = re.compile("^.* · trace .*$", re.MULTILINE)
TOPICS = ("dance", "honey", "winter")
INTERRUPTED = """\
invoke_agent support
   chat gpt-4o-mini
   execute_tool find_order
   chat gpt-4o-mini
"""
RESUMED = """\
invoke_agent support
   execute_tool refund
   chat gpt-4o-mini
"""
STUDY = """\
   node study 2
      invoke_agent researcher
         chat gpt-4o-mini
         execute_tool search_library
         chat gpt-4o-mini
"""
RESEARCH = f"""\
invoke_workflow research
   node plan 1
      chat gpt-4o-mini
{STUDY * len(TOPICS)}\
   node collect 3
   invoke_agent editor 4
      chat gpt-4o-mini
"""
INDEXED = "embeddings text-embedding-3-small\n"
ANSWERED = """\
invoke_workflow manual
   retrieval
      embeddings text-embedding-3-small
   chat gpt-4o-mini
"""


def run(program: str, model: ScriptedModel, typed: str = "") -> tuple[str, list[str]]:
    """Return the last line that an example prints, and its trees without durations and bars."""
    variables = {
        "OPENAI_BASE_URL": model.openai_url,
        "OPENAI_API_KEY": "none",
        "OTEL_TRACES_EXPORTER": "tree",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    instrument = Path(sys.executable).with_name("opentelemetry-instrument")
    done = subprocess.run(
        [instrument, sys.executable, EXAMPLES / program],
        env=plain_environ(variables),
        input=typed,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.splitlines()[-1], [_names(tree) for tree in HEAD.split(done.stderr)[1:]]


def _names(tree: str) -> str:
    lines = [re.sub("[│├└─]", " ", line) for line in tree.splitlines()]
    names = [re.split(r"  +(?=[\d.]+ m?s )", line.rstrip())[0] for line in lines]
    return "".join(f"{name}\n" for name in names if name.strip())


def test_an_agent_that_waits_for_a_person() -> None:
    order = {"number": "1042"}
    with ScriptedModel() as model:
        model.script(
            Response(tool_calls=[ToolCall("find_order", order)]),
            Response(tool_calls=[ToolCall("refund", {**order, "francs": 39})]),
            "Your 39 francs come back.",
        )
        printed, trees = run("support_agent.py", model, typed="y\n")
        assert model.ledger.requests == 3
    assert printed.endswith("Your 39 francs come back.")
    assert trees == [INTERRUPTED, RESUMED]


def research(request: ModelRequest) -> Response:
    """React to the planner, the researcher and the editor, which differ in their prompts."""
    if request.prompt.startswith("Topics of: "):
        return Response('{"topics": ["dance", "honey", "winter"]}')
    if "You are the editor." in request.prompt:
        return Response("Bees live in colonies.")
    if request.has_tool_result:
        return Response("It is known.")
    subject = request.prompt.splitlines()[1]
    return Response(tool_calls=[ToolCall("search_library", {"subject": subject})])


def trees_of(program: str, script: Callable[[ModelRequest], Response]) -> tuple[str, list[str]]:
    with ScriptedModel() as model:
        model.script_by(script)
        return run(program, model)


def test_a_graph_with_parallel_studies_and_sub_agents() -> None:
    printed = trees_of("research_graph.py", research)
    assert printed == ("Bees live in colonies.", [RESEARCH])


def test_a_chain_over_documents() -> None:
    printed = trees_of("rag_chain.py", lambda request: Response("Two years."))
    assert printed == ("Two years.", [INDEXED, ANSWERED])
