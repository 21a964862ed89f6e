"""CrewAI's prompt to share a trace, after the first run, is the same with otel-agents."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from crews import CHAT
from instrumented import plain_environ, script
from otlp_receiver import Receiver
from terminal import at_terminal

from otel_agents.testing.scripted_model import ScriptedModel

PROMPT = "Share this execution trace with CrewAI? [y/N] (20s timeout): "
PROGRAM = """
import crewai

llm = crewai.LLM(model="gpt-4o-mini")
writer = crewai.Agent(role="Writer", goal="goal", backstory="story", llm=llm)
task = crewai.Task(description="do it", expected_output="it", agent=writer)
crew = crewai.Crew(agents=[writer], tasks=[task])
print(crew.kickoff().raw)
print(crew.kickoff().raw)
"""
TREE = ["invoke_workflow", "task", "invoke_agent Writer", CHAT]


@dataclass
class Vendor:
    """CrewAI's service: its URL and the requests that it granted."""

    url: str
    granted: list[str]


@contextmanager
def vendor(collector: str) -> Generator[Vendor, None, None]:
    """Run CrewAI's service, as far as the program uses it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.granted.append(self.path)
            grant = {
                "tier": "ephemeral",
                "token": "none",
                "execution_uuid": request["execution_uuid"],
                "collector_url": f"{collector}/v1/traces",
                "expires_at": "2999-01-01T00:00:00Z",
            }
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(grant).encode())

        def log_message(self, format: str, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = Vendor(f"http://127.0.0.1:{server.server_port}", [])
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield service
        server.shutdown()
        serving.join()


@dataclass(frozen=True)
class Run:
    """The output and the effects of a program's run, apart from our trace."""

    shown: str
    kept: dict[str, Any]
    granted: list[str]
    sent: list[tuple[str, str, tuple[str, ...]]]


def sent(receiver: Receiver) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return name, parent's name and attributes' names of each span that the vendor gets."""
    names = {span.span_id: span.name for span in receiver.spans}
    return sorted(
        (
            span.name,
            names.get(span.parent_span_id, "?") if span.parent_span_id else "",
            tuple(sorted(pair.key for pair in span.attributes)),
        )
        for span in receiver.spans
    )


def first_run(home: Path, own: Receiver, replies: str, *, instrument: bool) -> Run:
    """Run the crew in a new home directory, with no setting about traces."""
    home.mkdir()
    begin = [Path(sys.executable).with_name("opentelemetry-instrument")] if instrument else []
    with ScriptedModel() as model, Receiver() as collector, vendor(collector.endpoint) as service:
        variables = {
            **{k: v for k, v in plain_environ({}).items() if not k.startswith("CREWAI_")},
            "CREWAI_DISABLE_TELEMETRY": "true",
            "CREWAI_PLUS_URL": service.url,
            "CREWAI_STORAGE_DIR": str(home),
            "HOME": str(home),
            "OPENAI_BASE_URL": model.openai_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": own.endpoint,
        }
        command = [*begin, sys.executable, script(home, PROGRAM)]
        shown = at_terminal(command, variables, home, PROMPT, replies)
        assert model.ledger.requests == 2
        kept = json.loads((home / ".crewai_user.json").read_text("utf-8"))
        settings = {name: kept.get(name) for name in ("first_execution_done", "trace_consent")}
        return Run(shown, settings, service.granted, sent(collector))


def test_the_prompt_and_the_effect_of_the_reply_do_not_change(tmp_path: Path) -> None:
    """A user who agreed sees a prompt before each upload, and refuses the second."""
    with Receiver() as own, ThreadPoolExecutor(3) as pool:
        runs = [
            pool.submit(first_run, tmp_path / name, own, replies, instrument=instrument)
            for name, replies, instrument in (
                ("alone", "yn", False),
                ("instrumented", "yn", True),
                ("refusing", "n", True),
            )
        ]
        alone, instrumented, refusing = [run.result() for run in runs]
    assert instrumented == alone
    assert alone.shown.count(PROMPT) == 2
    assert alone.kept == {"first_execution_done": True, "trace_consent": True}
    assert len(alone.granted) == 1
    assert alone.sent
    assert refusing.shown.count(PROMPT) == 1
    assert refusing.shown.split(PROMPT)[0] == alone.shown.split(PROMPT)[0]
    refused = {"first_execution_done": True, "trace_consent": False}
    assert refusing == Run(refusing.shown, refused, [], [])
    assert own.span_names == sorted(TREE * 4)
