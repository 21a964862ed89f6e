"""A hook named by a setting is loaded when there is content for it, and nothing deadlocks."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from forked import in_a_forked_child
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import INVALID_SPAN

from otel_agents.instrumentors._core.hooks import redaction
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.gate import Gate
from otel_agents.instrumentors.settings import Settings

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
REDACTION = "OTEL_AGENTS_REDACTION_HOOK"
COMPLETION = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
WAITS = "otel-agents: the redaction hook '{}' {}, so until then no content is recorded; further cases are only counted"

RECORDS = """
    from opentelemetry.sdk.trace import TracerProvider
    from otel_agents.instrumentors._core.telemetry.content import Content
    from otel_agents.instrumentors._core.telemetry.gate import Gate
    from otel_agents.instrumentors.settings import Settings

    def recorded():
        span = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s")
        content = Content(Gate(Settings.read()).policy, True, False)
        content.tool_arguments = {"password": "secret"}
        content.emit(span, None)
        return dict(span.attributes)
"""


def gate(name: str) -> Gate:
    return Gate(Settings.read({CAPTURE: "SPAN_ONLY", REDACTION: name}))


def recorded(gate: Gate) -> dict[str, Any]:
    span: Any = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s")
    content = Content(gate.policy, True, False)
    content.retrieval_query = "asked"
    content.emit(span, None)
    return dict(span.attributes)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for modules; the process forgets its hooks."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = set(sys.modules)
    redaction.named.cache_clear()
    yield tmp_path
    redaction.named.cache_clear()
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "").startswith(str(tmp_path)):
            del sys.modules[name]


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in ``folder``; fail if it hangs."""
    (folder / "recording.py").write_text(textwrap.dedent(RECORDS), "utf-8")
    path = [str(folder), *sys.path]
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PYTHONPATH": ":".join(path), CAPTURE: "SPAN_ONLY", **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def louder(kind: str, value: Any) -> Any:
    return value.upper()


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text), "utf-8")


def test_a_hook_is_not_loaded_before_there_is_content(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder, "late_hook.py", "redact = lambda kind, value: value.upper()\n")
    made = gate("late_hook:redact")
    assert "late_hook" not in sys.modules
    assert recorded(made) == {"gen_ai.retrieval.query.text": "ASKED"}
    assert caplog.messages == []


def test_two_importing_threads_do_not_deadlock(folder: Path) -> None:
    """One imports the application's package, which has the hook; the other one a framework."""
    write(
        folder,
        "application/__init__.py",
        """
        import gate
        gate.is_imported.set()
        gate.is_prepared.wait(2)  # for the other thread, as long as that takes without a deadlock
        import second_framework

        def redact(kind, value): return value
        """,
    )
    write(folder, "first_framework.py", "")
    write(folder, "second_framework.py", "")
    write(
        folder,
        "gate.py",
        "import threading\nis_imported, is_prepared = threading.Event(), threading.Event()\n",
    )
    program = """
        import os, threading
        import gate
        from otel_agents.instrumentors import AgentInstrumentor

        class Instrumentor(AgentInstrumentor):
            requires = ("otel-agents-instrumentors",)

            def patches(self):
                gate.is_prepared.set()
                return ()

        class First(Instrumentor):
            _instance, plain_name = None, "first_framework"

        class Second(Instrumentor):
            _instance, plain_name = None, "second_framework"

        First().instrument()
        Second().instrument()

        def framework():
            gate.is_imported.wait()
            import first_framework

        def application():
            import application

        threads = [threading.Thread(target=it, daemon=True) for it in (application, framework)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        print([thread.is_alive() for thread in threads], flush=True)
        os._exit(0)
    """
    ran = run(folder, "-c", textwrap.dedent(program), **{REDACTION: "application:redact"})
    assert (ran.stdout, ran.stderr) == ("[False, False]\n", "")


PROGRAM = """
    print("runs as", __name__, flush=True)
    from recording import recorded

    def redact(kind, value):
        return {"password": "***"}

    if __name__ == "__main__":
        print(recorded())
"""


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("app.py",), "app:redact"),
        (("-m", "app"), "app:redact"),
        (("-m", "package.app"), "package.app:redact"),
        (("package/app.py",), "package.app:redact"),
    ],
)
def test_a_program_that_has_the_hook_runs_once(
    arguments: tuple[str, ...], name: str, folder: Path
) -> None:
    write(folder, "package/__init__.py", "")
    for file in ("app.py", "package/app.py"):
        write(folder, file, PROGRAM)
    ran = run(folder, *arguments, **{REDACTION: name})
    assert ran.stdout.splitlines() == [
        "runs as __main__",
        str({"gen_ai.tool.call.arguments": '{"password":"***"}'}),
    ]
    assert ran.stderr == ""


def test_a_module_other_than_the_program_is_imported(folder: Path) -> None:
    write(folder, "hooks.py", "def redact(kind, value): return {'password': '***'}")
    write(folder, "app.py", "from recording import recorded\nprint(recorded())")
    ran = run(folder, "app.py", **{REDACTION: "hooks:redact"})
    assert ran.stdout.strip() == str({"gen_ai.tool.call.arguments": '{"password":"***"}'})


def test_until_the_program_has_defined_it_nothing_is_recorded(folder: Path) -> None:
    write(
        folder,
        "app.py",
        """
        from recording import recorded

        print(recorded(), recorded())

        def redact(kind, value): return {"password": "***"}

        print(recorded())
        """,
    )
    ran = run(folder, "app.py", **{REDACTION: "app:redact"})
    assert ran.stdout.splitlines() == [
        "{} {}",
        str({"gen_ai.tool.call.arguments": '{"password":"***"}'}),
    ]
    assert ran.stderr.splitlines() == [
        WAITS.format("app:redact", "is not defined yet, as app still runs")
    ]


@pytest.mark.parametrize("name", ["halfway:redact", "halfway.inner:redact"])
def test_a_module_that_waits_for_a_call_does_not_deadlock(
    name: str, folder: Path, counts: Counts
) -> None:
    """Such as one that calls a model in another thread while it is imported."""
    write(
        folder,
        "halfway/__init__.py",
        """
        import sys, threading
        thread = threading.Thread(target=sys.modules["shared"].call)
        thread.start()
        thread.join(20)
        def redact(kind, value): return value.upper()
        """,
    )
    write(folder, "halfway/inner.py", "from halfway import redact")
    module = ModuleType("shared")
    made, seen = gate(name), list[dict[str, Any]]()
    vars(module)["call"] = lambda: seen.append(recorded(made))
    sys.modules["shared"] = module
    try:
        __import__("halfway")
    finally:
        del sys.modules["shared"]
    assert seen == [{}]
    assert counts == {"waiting for the redaction hook": 1}
    assert recorded(made) == {"gen_ai.retrieval.query.text": "ASKED"}


def test_a_hook_is_created_once_and_no_thread_waits(
    folder: Path, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder, "slow_hook.py", "redact = __import__('shared').found()\n")
    module, made = ModuleType("shared"), gate("slow_hook:redact")
    looking, seen = threading.Event(), list[dict[str, Any]]()
    go_on = threading.Event()

    def found() -> Any:
        looking.set()
        assert go_on.wait(20)
        return louder

    vars(module)["found"] = found
    sys.modules["shared"] = module
    try:
        first = threading.Thread(target=lambda: seen.append(recorded(made)))
        first.start()
        assert looking.wait(20)
        assert recorded(made) == {}
        go_on.set()
        first.join()
    finally:
        del sys.modules["shared"]
    assert seen == [{"gen_ai.retrieval.query.text": "ASKED"}]
    assert counts == {"waiting for the redaction hook": 1}
    assert caplog.messages == [WAITS.format("slow_hook:redact", "is being loaded")]


def test_a_child_forked_meanwhile_loads_the_hook_itself(folder: Path) -> None:
    write(folder, "forking_hook.py", "redact = __import__('shared').found()\n")
    module, made = ModuleType("shared"), gate("forking_hook:redact")
    children: list[str] = []

    def found() -> Any:
        write(folder, "forking_hook.py", "redact = lambda kind, value: 'child'\n")

        def child() -> Any:
            del sys.modules["forking_hook"]
            return recorded(made)

        children.append(in_a_forked_child(child))
        return louder

    vars(module)["found"] = found
    sys.modules["shared"] = module
    try:
        assert recorded(made) == {"gen_ai.retrieval.query.text": "ASKED"}
    finally:
        del sys.modules["shared"]
    assert children == [str({"gen_ai.retrieval.query.text": "child"})]


@pytest.mark.parametrize("body", ["raise SystemExit('no')", "import no_such_package", "1 / 0"])
def test_a_failed_import_is_logged_once_and_the_call_goes_on(
    body: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(folder, "broken_hook.py", body)
    for _ in range(2):
        assert recorded(gate("broken_hook:redact")) == {}
    (line,) = caplog.messages
    assert line.startswith(
        "otel-agents: the redaction hook 'broken_hook:redact' cannot be loaded ("
    )
    assert line.endswith(
        "), so no content is recorded; install what provides it, "
        "correct OTEL_AGENTS_REDACTION_HOOK, or unset it"
    )
    assert "\n" not in line


def test_without_its_redaction_no_completion_hook_is_called(folder: Path) -> None:
    class Hook:
        def on_completion(self, **given: Any) -> None:
            raise AssertionError

    made = Gate(Settings.read({CAPTURE: "SPAN_ONLY", REDACTION: "no-such-hook"}), Hook())
    content = Content(made.policy, True, False)
    content.input_messages = [{"role": "user", "parts": []}]
    content.emit(INVALID_SPAN, None)
