"""Vendor telemetry of CrewAI and Chroma is disabled, and nothing else: a process ends as before."""

from __future__ import annotations

import signal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from instrumented import Finished, running, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

HAS_SWITCH = hasattr(
    import_module("crewai.telemetry.telemetry").Telemetry, "_is_telemetry_disabled"
)
"""Whether CrewAI has its own switch for it."""
HAS_OWN_PROVIDER = hasattr(import_module("crewai.telemetry.telemetry"), "flush_and_shutdown")
"""Whether it has its own tracer provider."""
LINES = ("import reported", "ready", "finally", "at exit")
CREW = """
    import atexit, os, sys, threading, time, warnings
    import urllib.request
    urlopen = urllib.request.urlopen

    def opened(request, *args, **kwargs):
        if "scarf" in request.full_url:
            print("import reported", flush=True)
            raise OSError("no network here")
        return urlopen(request, *args, **kwargs)

    urllib.request.urlopen = opened
    warnings.simplefilter("ignore")
    from importlib.util import find_spec, module_from_spec, spec_from_file_location
    path = os.path.join(os.path.dirname(find_spec("crewai").origin), "telemetry/constants.py")
    spec = spec_from_file_location("crewai.telemetry.constants", path)
    constants = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(constants)
    constants.CREWAI_TELEMETRY_BASE_URL = os.environ["VENDOR"]
    from crewai import Agent, Crew, Task

    agent = Agent(role="r", goal="g", backstory="b", llm="gpt-4o-mini")
    Crew(agents=[agent], tasks=[Task(description="d", expected_output="x", agent=agent)]).kickoff()
    atexit.register(lambda: print("at exit", flush=True))
    try:
        print("ready", flush=True)
        while ENDLESS:
            time.sleep(0.05)
    finally:
        print("finally", flush=True)
    """


def ran(
    folder: Path, vendor: Receiver, *, instrument: bool, ended: bool = False, **variables: str
) -> Finished:
    """Run the crew with default settings; it ends by SIGTERM, or by itself."""
    with ScriptedModel() as model, Receiver() as collector:
        given = {
            "HOME": str(folder),
            "OPENAI_BASE_URL": model.openai_url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "VENDOR": vendor.endpoint,
            **variables,
        }
        path = script(folder, CREW.replace("ENDLESS", str(ended)))
        with running(path, given, instrument=instrument, installed=True) as process:
            seen = ""
            assert process.stdout is not None
            while ended and "ready" not in seen:
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                seen += line
            if ended:
                process.send_signal(signal.SIGTERM)
            rest, err = process.communicate(timeout=60)
        printed = [line for line in (seen + rest).splitlines() if line in LINES]
        return Finished("\n".join(printed), err, process.returncode, 0)


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CREWAI_DISABLE_TELEMETRY", "CREWAI_DISABLE_TRACKING", "ANONYMIZED_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(not HAS_SWITCH, reason="this version's address cannot be set")
def test_nothing_is_sent(tmp_path: Path) -> None:
    with Receiver() as vendor:
        bare = ran(tmp_path, vendor, instrument=False)
    assert vendor.span_names
    with Receiver() as vendor:
        ours = ran(tmp_path, vendor, instrument=True)
    assert vendor.span_names == []
    lines = bare.out.splitlines()
    assert ours.out.splitlines() == [line for line in lines if line != "import reported"]


@pytest.mark.skipif(not HAS_SWITCH, reason="this version's address cannot be set")
def test_a_process_ends_by_sigterm_as_before(tmp_path: Path) -> None:
    """In versions that handle it, the program unwinds and runs its exit handlers."""
    with Receiver() as vendor:
        bare = ran(tmp_path, vendor, instrument=False, ended=True)
        ours = ran(tmp_path, vendor, instrument=True, ended=True)
    lines = bare.out.splitlines()
    assert ours.out.splitlines() == [line for line in lines if line != "import reported"]
    assert ours.status == bare.status


@pytest.mark.skipif(not HAS_OWN_PROVIDER, reason="this version uses the application's provider")
def test_the_application_can_enable_it(tmp_path: Path) -> None:
    with Receiver() as vendor:
        ran(tmp_path, vendor, instrument=True, CREWAI_DISABLE_TELEMETRY="false")
    assert vendor.span_names


@pytest.mark.skipif(find_spec("posthog") is None, reason="this version sends nothing")
def test_chroma_is_silent_and_the_posthog_of_the_application_is_not(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        import posthog, sys
        from chromadb.config import Settings, System
        from chromadb.telemetry.product.events import ClientStartEvent
        from chromadb.telemetry.product.posthog import Posthog

        events = []
        posthog.capture = lambda *args, **kwargs: events.append(args)
        system = System(Settings())
        Posthog(system).capture(ClientStartEvent())
        print(len(events), posthog.disabled)
        """,
    )
    shown: list[str] = []
    for instrument, given in ((False, {}), (True, {}), (True, {"ANONYMIZED_TELEMETRY": "true"})):
        variables = {"OTEL_TRACES_EXPORTER": "tree", "HOME": str(tmp_path), **given}
        with running(path, variables, instrument=instrument, installed=True) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        shown.append(out.strip())
    assert shown == ["1 False", "0 False", "1 False"]
