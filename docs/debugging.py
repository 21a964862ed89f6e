"""Regenerate the trees of these pages by running example programs against a scripted model.

Run it in an environment with the program's framework: ``python docs/debugging.py book``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_agents.distro.demo.programs import client
from otel_agents.testing.scripted_model import (
    Failure,
    Kind,
    ModelRequest,
    Reaction,
    Response,
    ScriptedModel,
    ToolCall,
    Usage,
)

ROOT: Final = Path(__file__).parents[1]
_START: Final = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"


class Program(NamedTuple):
    """An example program, and the model's reaction to its requests.

    Attributes:
        path: Where it is in the checkout.
        react: The model's reaction to a request.
        page: The page that has its traces.
        traces: How many of its last traces that are.
        typed: What a person types into it.
    """

    path: str
    react: Callable[[ModelRequest], Reaction]
    page: str = "debugging.md"
    traces: int = 1
    typed: str = ""


def _texts(request: ModelRequest) -> list[str]:
    """Return the messages as JSON, the newest last."""
    return [json.dumps(message, default=str) for message in request.body["messages"]]


def _text(text: str, tokens: int, delay: float = 0.05) -> Response:
    return Response(text, usage=Usage(tokens, tokens // 8), delay=delay)


def _tool_calls(tokens: int, *calls: tuple[str, dict[str, Any]], delay: float = 0.05) -> Response:
    tool_calls = [ToolCall(name, arguments) for name, arguments in calls]
    return Response(tool_calls=tool_calls, usage=Usage(tokens, tokens // 8), delay=delay)


_DELAYS: Final = MappingProxyType({"Dance": 0.1, "Paper": 0.45, "Winter": 0.15})
"""Seconds that the model takes for each chapter."""


def _book(request: ModelRequest) -> Reaction:
    """React to the agents of the book, which differ in their roles."""
    first, *rest = _texts(request)
    role = first.partition("You are ")[2].partition(".")[0]
    last = rest[-1]
    if role == "Scout":
        searches = sum('"role": "tool"' in text for text in rest)
        subject = ("insects", "bees")[min(searches, 1)]
        if searches < 2:
            return _tool_calls(400 + 80 * searches, ("search_library", {"subject": subject}))
        return _text("Bees dance.", 560)
    if role == "Planner":
        second_attempt = "Name every chapter" in "".join(rest)
        return _text(
            "Dance, Paper, Winter" if second_attempt else "Three chapters",
            720 if second_attempt else 640,
        )
    if role == "Writer":
        title = next(title for title in _DELAYS if f"Write: {title}." in last)
        return _text(f"On {title}", 800 + 16 * len(title), _DELAYS[title])
    return _text("Done.", 960)


_PARALLEL_CALLS: Final = (
    ("get_weather", {"city": "Bern"}),
    ("get_price", {"vehicle": "boat"}),
    ("consult", {"subject": "May I park there?"}),
    ("ask_helper", {"objective": "Milan"}),
    ("ask_helper", {"objective": "Basel"}),
)
_SUBTASKS_CALL: Final = ("run_subtasks", {"tasks": ["Pack a bag.", "Call a taxi."]})


def _errands(request: ModelRequest) -> Reaction:
    """React to the agents of the errands, which differ in their messages and tools."""
    texts = _texts(request)
    offered_tools = {tool.name for tool in request.tools}
    tool_results = sum('"role": "tool"' in text for text in texts)
    if "ask_helper" in offered_tools and any("Plan my Friday." in text for text in texts):
        if tool_results >= 6:
            return _text("Enjoy it.", 720)
        calls = (_SUBTASKS_CALL,) if tool_results else _PARALLEL_CALLS
        return _tool_calls(300 + 60 * tool_results, *calls)
    if "Call a taxi." in texts[-1]:
        return Failure(500)
    if "ask_helper" in offered_tools or not offered_tools:  # a sub-task, and the expert
        return _text("Done.", 160, 0.25 if not offered_tools else 0.05)
    city = "Milan" if any("Milan" in text for text in texts) else "Basel"
    weather_call = ("get_weather", {"city": city})
    return _text("Sunny.", 248) if tool_results else _tool_calls(200, weather_call)


def _group(request: ModelRequest) -> Reaction:
    """React to the agents of the group and to its guardrail, which differ in their system messages."""
    system, *rest = _texts(request)
    if "guardrail" in system:
        verdict = {"activated": True, "justification": "It contains one."}
        return _text(json.dumps(verdict), 400, 0.3)
    if "look up customers" in system:
        tool_results = sum('"role": "tool"' in text for text in rest)
        if tool_results < 2:
            name = ("Bob", "Ada")[tool_results]
            return _tool_calls(160 + 40 * tool_results, ("look_up", {"name": name}))
        return _text("ada@example.org", 240)
    return _text("Dear Ada", 320 if "write letters" in system else 480, 0.1)


def _support(request: ModelRequest) -> Reaction:
    """React to the support agent."""
    results = sum('"role": "tool"' in text for text in _texts(request))
    calls = (
        ("find_order", {"number": "1042"}),
        ("refund", {"number": "1042", "francs": 39}),
    )
    if results < len(calls):
        return _tool_calls(240 + 80 * results, calls[results])
    return _text("Your 39 francs come back.", 400)


_TOPICS: Final = ("dance", "honey", "winter")


def _research(request: ModelRequest) -> Reaction:
    """React to the planner, the researcher and the editor, which differ in their prompts."""
    first = request.prompt.splitlines()[0]
    if first.startswith("Topics of: "):
        return _text(json.dumps({"topics": _TOPICS}), 120)
    if first == "You are the editor.":
        return _text("Bees live in colonies.", 480, 0.2)
    topic = request.prompt.splitlines()[1]
    tokens = 160 + 8 * len(topic)
    if request.has_tool_result:
        return _text(f"It is known: {topic}.", tokens + 40, 0.1)
    return _tool_calls(tokens, ("search_library", {"subject": topic}))


def _desk(request: ModelRequest) -> Reaction:
    """React to the agents of the travel desk, which differ in their instructions."""
    instructions = request.body["instructions"]
    if instructions.startswith("Is this about travel"):
        return _text("yes", 80)
    if instructions.startswith("Hand off"):  # after the guardrail, which runs in parallel
        return _tool_calls(160, ("transfer_to_trains", {}), delay=0.25)
    if any(item.get("name") == "find_trains" for item in request.body["input"]):
        return _text("Take the 09:25 from Milano.", 240)
    return _tool_calls(200, ("find_trains", {"origin": "Milano", "destination": "Bern"}))


def _guide(request: ModelRequest) -> Reaction:
    """Call the tool of the MCP server, then answer."""
    if any(item.get("name") == "departures" for item in request.body["input"]):
        return _text("The 09:25 to Bern and the 09:40 to Chur.", 240)
    return _tool_calls(200, ("departures", {"station": "Zurich"}))


def _manual(request: ModelRequest) -> Reaction:
    """React to texts to embed, and to the prompt with documents."""
    return _text("It is two years.", 80 if request.kind is Kind.INFERENCE else 24)


def _manuals(request: ModelRequest) -> Reaction:
    """React to texts to embed, to the query, to its parts and to the answers to them."""
    if request.kind is not Kind.INFERENCE:
        return _text("", 24)
    if "sub_question" in request.prompt:
        parts = [
            {"sub_question": f"How long is the warranty of the {name}?", "tool_name": name}
            for name in ("kettle", "toaster")
        ]
        return _text(f"```json\n{json.dumps(parts)}\n```", 480)
    last = "Sub question" in request.prompt
    return _text("The kettle's, by a year.", 240, 0.2) if last else _text("It is known.", 160)


def _handoff(request: ModelRequest) -> Reaction:
    """React to the two agents, which differ in their prompts."""
    first = _texts(request)[0]
    results = sum('"role": "tool"' in text for text in _texts(request))
    calls = (
        ("find_order", {"number": "17"}),
        ("handoff", {"to_agent": "packer", "reason": "It is found."}),
        ("pack", {"item": "kettle"}),
    )
    if results < len(calls):
        return _tool_calls((160 if "find" in first else 200) + 40 * results, calls[results])
    return _text("Order 17 is packed.", 360)


_CAPITALS: Final = MappingProxyType({"France": "Paris", "Italy": "Rome", "Spain": "Madrid"})


def _fields(tokens: int, **values: str) -> Response:
    """Return output fields, as DSPy's chat adapter reads them."""
    lines = [f"[[ ## {name} ## ]]\n{value}" for name, value in values.items()]
    return _text("\n\n".join([*lines, "[[ ## completed ## ]]"]), tokens)


def _quiz(request: ModelRequest) -> Reaction:
    """React to the agent, to the step that reads its steps, and to the one that phrases."""
    prompt = str(request.body["messages"][-1]["content"])
    country = next(name for name in _CAPITALS if name in prompt)
    if "## next_tool_name ##" in prompt:
        done = "observation_0" in prompt
        tool, arguments = ("finish", {}) if done else ("look_up", {"country": country})
        return _fields(
            320 if done else 240,
            next_thought="Look it up.",
            next_tool_name=tool,
            next_tool_args=json.dumps(arguments),
        )
    if "## sentence ##" in prompt:
        return _fields(160, sentence="It is known.")
    return _fields(280, reasoning="It was found.", capital=_CAPITALS[country])


def _weather(request: ModelRequest) -> Reaction:
    if "sunny in" in json.dumps(request.body, default=str):
        return _text("It is sunny in Bern.", 184)
    calls = [ToolCall("get_weather", {"city": "Bern"})]
    return Response(tool_calls=calls, usage=Usage(152, 19), delay=0.05)


PROGRAMS: Final = MappingProxyType(
    {
        "book": Program("examples/crews/book.py", _book),
        "group": Program("examples/guarded_group.py", _group),
        "errands": Program("examples/ag2_errands.py", _errands),
        "support": Program(
            "examples/graphs/support_agent.py", _support, "langchain.md", traces=2, typed="y\n"
        ),
        "research": Program("examples/graphs/research_graph.py", _research, "langchain.md"),
        "manual": Program("examples/graphs/rag_chain.py", _manual, "langchain.md"),
        "manuals": Program("examples/documents/two_manuals.py", _manuals, "llama_index.md"),
        "handoff": Program("examples/documents/handoff.py", _handoff, "llama_index.md"),
        "quiz": Program("examples/capital_quiz.py", _quiz, "dspy.md"),
        "weather": Program("examples/native/pydantic_ai_weather.py", _weather, "native.md"),
        "desk": Program("examples/travel_desk.py", _desk, "openai_agents.md"),
        "guide": Program("examples/timetable/guide.py", _guide, "mcp.md"),
    }
)
"""The programs, by the names of their trees."""


def drawn(name: str) -> str:
    """Run the program and return the trees of its last traces."""
    program = PROGRAMS[name]
    with ScriptedModel() as model, tempfile.TemporaryDirectory() as folder:
        model.script_by(program.react)
        done = subprocess.run(
            [sys.executable, "-c", _START, sys.executable, str(ROOT / program.path)],
            env={**os.environ, **_variables(model, folder)},
            input=program.typed,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    heading = r"(?m)^(?=.* · trace )"
    trees = re.split(heading, done.stderr)[-program.traces :]
    return "\n\n".join(tree.partition("\n\n")[0].rstrip() for tree in trees)


def local(folder: str) -> dict[str, str]:
    """Return the variables with which frameworks stay off the network, and write to a folder."""
    return {
        "CREWAI_STORAGE_DIR": folder,
        "CREWAI_TESTING": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "DSPY_CACHEDIR": folder,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENAI_AGENTS_DISABLE_TRACING": "1",  # it would send to api.openai.com
    }


def _variables(model: ScriptedModel, folder: str) -> dict[str, str]:
    return {
        **local(folder),
        **client(model),
        "OTEL_TRACES_EXPORTER": "tree",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DISTRO": "otel_agents",
        "OTEL_PYTHON_CONFIGURATOR": "otel_agents",
        "PYTHONIOENCODING": "utf-8",
    }


def part(text: str, name: str) -> str:
    """Return the text between the marks of ``name``, without indentation."""
    found = text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0]
    return re.sub("(?m)^    ", "", found).strip()


def main(names: list[str]) -> None:
    """Replace these trees in their pages."""
    for name in names:
        page = ROOT / "docs" / PROGRAMS[name].page
        text = page.read_text("utf-8")
        lines = "\n".join(f"    {line}".rstrip() for line in drawn(name).splitlines())
        before, opening_mark, rest = text.partition(f"<!-- {name} -->\n")
        _, closing_mark, after = rest.partition(f"<!-- /{name} -->")
        page.write_text(f"{before}{opening_mark}\n{lines}\n\n{closing_mark}{after}", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
