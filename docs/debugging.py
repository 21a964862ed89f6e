"""Renews the trees of debugging.md, by programs of the examples against a scripted model.

Each in an environment that has its framework: ``python docs/debugging.py book``.
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

from otel_agents.testing.scripted_model import (
    Failure,
    ModelRequest,
    Reaction,
    Response,
    ScriptedModel,
    ToolCall,
    Usage,
)

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs/debugging.md"
_START: Final = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"


class Program(NamedTuple):
    """One of the examples, and what the model answers it."""

    path: str
    react: Callable[[ModelRequest], Reaction]


def _texts(request: ModelRequest) -> list[str]:
    """The messages, the newest last."""
    return [json.dumps(message, default=str) for message in request.body["messages"]]


def _said(text: str, tokens: int, delay: float = 0.05) -> Response:
    return Response(text, usage=Usage(tokens, tokens // 8), delay=delay)


def _asked(tokens: int, *calls: tuple[str, dict[str, Any]]) -> Response:
    asked = [ToolCall(name, arguments) for name, arguments in calls]
    return Response(tool_calls=asked, usage=Usage(tokens, tokens // 8), delay=0.05)


_DELAYS: Final = MappingProxyType({"Dance": 0.1, "Paper": 0.45, "Winter": 0.15})
"""How long the model writes on a chapter."""


def _book(request: ModelRequest) -> Reaction:
    """The agents of the book are known by their roles."""
    first, *rest = _texts(request)
    role = first.partition("You are ")[2].partition(".")[0]
    last = rest[-1]
    if role == "Scout":
        searches = sum('"role": "tool"' in text for text in rest)
        subject = ("insects", "bees")[min(searches, 1)]
        if searches < 2:
            return _asked(400 + 80 * searches, ("search_library", {"subject": subject}))
        return _said("Bees dance.", 560)
    if role == "Planner":
        again = "Name every chapter" in "".join(rest)
        return _said("Dance, Paper, Winter" if again else "Three chapters", 720 if again else 640)
    if role == "Writer":
        title = next(title for title in _DELAYS if f"Write: {title}." in last)
        return _said(f"On {title}", 800 + 16 * len(title), _DELAYS[title])
    return _said("Done.", 960)


_AT_ONCE: Final = (
    ("get_weather", {"city": "Bern"}),
    ("get_price", {"ticket": "boat"}),
    ("consult", {"question": "May I?"}),
    ("ask_helper", {"objective": "Milan"}),
    ("ask_helper", {"objective": "Basel"}),
)
_SPLIT: Final = ("run_subtasks", {"tasks": ["Pack a bag.", "Call a taxi."]})


def _errands(request: ModelRequest) -> Reaction:
    """The agents of the errands are known by what they are told."""
    texts = _texts(request)
    offered = {tool.name for tool in request.tools}
    answered = sum('"role": "tool"' in text for text in texts)
    if "ask_helper" in offered and any("Plan my Friday." in text for text in texts):
        asked = _AT_ONCE if not answered else (_SPLIT,)
        return _asked(300 + 60 * answered, *asked) if answered < 6 else _said("Enjoy it.", 720)
    if "Call a taxi." in texts[-1]:
        return Failure(500)
    if "ask_helper" in offered or not offered:  # a sub-task, and the expert
        return _said("Done.", 160, 0.25 if not offered else 0.05)
    city = "Milan" if any("Milan" in text for text in texts) else "Basel"
    calling = ("get_weather", {"city": city})
    return _said("Sunny.", 248) if answered else _asked(200, calling)


def _group(request: ModelRequest) -> Reaction:
    """The agents of the group are known by what they are told; the guardrail's judge by its schema."""
    system, *rest = _texts(request)
    if "guardrail" in system:
        verdict = {"activated": True, "justification": "It tells one."}
        return _said(json.dumps(verdict), 400, 0.3)
    if "look customers up" in system:
        answered = sum('"role": "tool"' in text for text in rest)
        if answered < 2:
            name = ("Bob", "Ada")[answered]
            return _asked(160 + 40 * answered, ("look_up", {"name": name}))
        return _said("ada@example.org", 240)
    return _said("Dear Ada", 320 if "write to" in system else 480, 0.1)


PROGRAMS: Final = MappingProxyType(
    {
        "book": Program("examples/crews/book.py", _book),
        "group": Program("examples/guarded_group.py", _group),
        "errands": Program("examples/ag2_errands.py", _errands),
    }
)
"""The programs by the names of their trees."""


def drawn(name: str) -> str:
    """The tree of the program's one trace, as it was drawn just now."""
    program = PROGRAMS[name]
    with ScriptedModel() as model, tempfile.TemporaryDirectory() as folder:
        model.script_by(program.react)
        done = subprocess.run(
            [sys.executable, "-c", _START, sys.executable, str(ROOT / program.path)],
            env={**os.environ, **_variables(model, folder)},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    heading = r"(?m)^(?=.* · trace )"
    *_, tree = re.split(heading, done.stderr)
    return tree.partition("\n\n")[0]


def _variables(model: ScriptedModel, folder: str) -> dict[str, str]:
    return {
        "OTEL_TRACES_EXPORTER": "tree",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DISTRO": "otel_agents",
        "OTEL_PYTHON_CONFIGURATOR": "otel_agents",
        "OPENAI_BASE_URL": model.openai_url,
        "OPENAI_API_KEY": "none",
        "PYTHONIOENCODING": "utf-8",
        "CREWAI_STORAGE_DIR": folder,
        "CREWAI_TESTING": "true",
        "CREWAI_TRACING_ENABLED": "false",
    }


def part(text: str, name: str) -> str:
    """What stands between the marks of ``name``, without its indentation."""
    found = text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- /{name} -->")[0]
    return re.sub("(?m)^    ", "", found).strip()


def main(names: list[str]) -> None:
    """Write the page anew."""
    for name in names:
        text = PAGE.read_text("utf-8")
        lines = "\n".join(f"    {line}" for line in drawn(name).splitlines())
        before, opening, rest = text.partition(f"<!-- {name} -->\n")
        _, closing, after = rest.partition(f"<!-- /{name} -->")
        PAGE.write_text(f"{before}{opening}\n{lines}\n\n{closing}{after}", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
