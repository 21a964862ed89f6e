"""What the doctor reports of a program that it runs, and of libraries with spans of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from installed import install
from instrumented import plain_environ, script
from otlp_receiver import Receiver

from otel_agents.distro.doctor.scopes import EmittingScope, Received, emitting_scopes
from otel_agents.testing.scripted_model import ScriptedModel

OURS = "otel_agents.instrumentors.openai"
SHOP = """
    import openai
    from opentelemetry import trace

    client = openai.OpenAI()
    shop = trace.get_tracer("shop")
    CHAT = {"gen_ai.operation.name": "chat", "gen_ai.prompt": "canary-7c1f"}

    def ask(**more):
        with shop.start_as_current_span("chat", attributes={**CHAT, **more}):
            for _ in range(2):
                client.chat.completions.create(
                    model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}]
                )

    with trace.get_tracer("web").start_as_current_span("GET /"):
        pass
"""
TWICE = (
    "shop: 2 model calls have a span with tokens there and another of otel-agents, so sums of "
    "tokens count them twice; disable the spans of that scope, or otel-agents' by "
    "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
)
SILENT = (
    "the program emitted no span of a model, an agent or a tool: see which frameworks above run, "
    "and whether the program uses them"
)


def started(
    arguments: list[str], variables: dict[str, str], *options: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "otel_agents.distro", "doctor", *options, "--", *arguments],
        env=plain_environ(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )


def examined(arguments: list[str], **variables: str) -> tuple[dict[str, Any], str]:
    """Return the report about a program, and what came on standard error."""
    with started(arguments, variables, "--json") as process:
        out, err = process.communicate(timeout=120)
    return json.loads(out), err


def of_program(report: dict[str, Any]) -> list[str]:
    """Return the findings about the program."""
    return [it for it in report["findings"] if "program" in it or "count them twice" in it]


def rows(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(scope.values()) for scope in report["scopes"]]


@pytest.mark.parametrize("tokens", [True, False])
def test_a_scope_that_is_not_known_is_named_and_what_it_counts_twice(
    tokens: bool, model: ScriptedModel, tmp_path: Path
) -> None:
    call = 'ask(**{"gen_ai.usage.input_tokens": 3})' if tokens else "ask()"
    program = script(tmp_path, f"{SHOP}\n    {call}\n    print('done')\n")
    with Receiver() as receiver:
        report, err = examined(
            ["python", str(program)],
            OPENAI_BASE_URL=model.openai_url,
            OPENAI_API_KEY="none",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.endpoint}/v1/traces",
            OTEL_TRACES_SAMPLER="always_off",
        )
    assert rows(report) == [
        (OURS, "otel-agents", 2, 2, 0),
        ("shop", "", 1, 1, 2 if tokens else 0),
    ]
    assert of_program(report) == ([TWICE] if tokens else [])
    assert receiver.spans == []
    assert "done" in err


def test_the_text_names_the_scopes(model: ScriptedModel, tmp_path: Path) -> None:
    program = script(tmp_path, f"{SHOP}\n    ask()\n")
    client = {"OPENAI_BASE_URL": model.openai_url, "OPENAI_API_KEY": "none"}
    with started(["opentelemetry-instrument", "python", str(program)], client) as process:
        out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    section = out.partition("emitted by the program\n")[2].partition("\n\n")[0]
    assert section.splitlines() == [
        f"  {OURS}  otel-agents  spans: 2  model calls: 2",
        "  shop                              not known    spans: 1  model calls: 1",
    ]


def test_a_program_without_genai_spans_and_one_that_fails_are_findings(tmp_path: Path) -> None:
    program = script(tmp_path, "import sys\nsys.exit(3)\n")
    report, _ = examined(["python", str(program)])
    assert rows(report) == []
    assert of_program(report) == ["the program ended with status 3", SILENT]


def test_ctrl_c_ends_the_program_and_not_the_report(tmp_path: Path) -> None:
    program = script(
        tmp_path,
        """
        import sys, time
        from opentelemetry import trace

        trace.get_tracer("shop").start_span("s", attributes={"gen_ai.operation.name": "chat"}).end()
        print("ready", flush=True)
        time.sleep(60)
        """,
    )
    with started(["python", str(program)], {}, "--json") as process:
        assert process.stderr is not None
        while "ready" not in process.stderr.readline():
            pass
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert rows(json.loads(out)) == [("shop", "", 1, 1, 0)]


def test_installed_libraries_with_spans_of_their_own_are_listed(tmp_path: Path) -> None:
    install(tmp_path, "semantic-kernel", "1.45.0")
    done = subprocess.run(
        [sys.executable, "-m", "otel_agents.distro", "doctor", "--json"],
        env=plain_environ({"PYTHONPATH": str(tmp_path)}),
        capture_output=True,
        check=False,
    )
    assert {
        "library": "Semantic Kernel",
        "installed": {"semantic-kernel": "1.45.0"},
        "scopes": ["semantic_kernel.*"],
    } in json.loads(done.stdout)["others"]


def span(
    number: int,
    parent: int = 0,
    scope: str = OURS,
    operation: str = "chat",
    response_id: str = "",
    tokens: bool = True,
) -> Received:
    ids = [(b"t", bytes([one])) for one in (number, parent)]
    return Received(ids[0], ids[1], scope, operation, response_id, tokens)


def twice(*spans: Received) -> dict[str, int]:
    return {one.scope: one.counted_twice for one in emitting_scopes(spans) if one.counted_twice}


def test_a_call_is_counted_twice_where_both_have_its_tokens() -> None:
    assert twice(span(2, 1), span(1, scope="shop")) == {"shop": 1}
    assert twice(span(3, 2), span(2, 1, operation=""), span(1, scope="shop")) == {"shop": 1}
    assert twice(span(1, response_id="r"), span(2, scope="shop", response_id="r")) == {"shop": 1}
    both = span(2, 1, response_id="r"), span(1, scope="shop", response_id="r")
    assert twice(*both) == {"shop": 1}
    assert twice(*both, span(3, scope="other", response_id="r")) == {"shop": 1, "other": 1}


@pytest.mark.parametrize(
    "spans",
    [
        (span(2, 1, tokens=False), span(1, scope="shop")),
        (span(2, 1), span(1, scope="shop", tokens=False)),
        (span(3, 2), span(2, 1, operation="execute_tool"), span(1, scope="shop")),
        (span(2, 1), span(1, scope="shop", operation="invoke_agent")),
        (span(2, 1), span(1)),
        (span(1, response_id="r"), span(2, response_id="r")),
        (span(1), span(2, scope="shop")),
        (span(1, 1), span(2, 3, operation=""), span(3, 2, operation="")),
    ],
    ids=range(8),
)
def test_and_else_once(spans: tuple[Received, ...]) -> None:
    assert twice(*spans) == {}


def test_known_scopes_are_named() -> None:
    found = emitting_scopes([span(1, scope="pydantic-ai"), span(2), span(3, scope="a")])
    assert found == (
        EmittingScope(OURS, "otel-agents", 1, 1, 0),
        EmittingScope("a", "", 1, 1, 0),
        EmittingScope("pydantic-ai", "Pydantic AI", 1, 1, 0),
    )
