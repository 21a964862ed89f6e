"""What CrewAI and Chroma send home is stopped, and nothing else: how a process ends is CrewAI's."""

from __future__ import annotations

import signal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from instrumented import Finished, running, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

KNOWN = hasattr(import_module("crewai.telemetry.telemetry").Telemetry, "_is_telemetry_disabled")
"""Whether CrewAI has a switch of its own."""
APART = hasattr(import_module("crewai.telemetry.telemetry"), "flush_and_shutdown")
"""Whether it tells by a provider of its own."""
TOLD = ("import told", "ready", "finally", "at exit")
CREW = """
    import atexit, os, sys, threading, time, warnings
    import urllib.request
    urlopen = urllib.request.urlopen

    def opened(request, *args, **kwargs):
        if "scarf" in request.full_url:
            print("import told", flush=True)
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
    """Run the crew as on the machine of somebody who has set nothing; ended by SIGTERM, or by itself."""
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
        told = [line for line in (seen + rest).splitlines() if line in TOLD]
        return Finished("\n".join(told), err, process.returncode, 0)


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CREWAI_DISABLE_TELEMETRY", "CREWAI_DISABLE_TRACKING", "ANONYMIZED_TELEMETRY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.skipif(not KNOWN, reason="this version's address cannot be set")
def test_nothing_is_told(tmp_path: Path) -> None:
    with Receiver() as vendor:
        bare = ran(tmp_path, vendor, instrument=False)
    assert vendor.span_names
    with Receiver() as vendor:
        ours = ran(tmp_path, vendor, instrument=True)
    assert vendor.span_names == []
    lines = bare.out.splitlines()
    assert ours.out.splitlines() == [line for line in lines if line != "import told"]


@pytest.mark.skipif(not KNOWN, reason="this version's address cannot be set")
def test_a_process_ends_by_sigterm_as_without_us(tmp_path: Path) -> None:
    """Versions that handle it have the program unwind and run its exit handlers."""
    with Receiver() as vendor:
        bare = ran(tmp_path, vendor, instrument=False, ended=True)
        ours = ran(tmp_path, vendor, instrument=True, ended=True)
    lines = bare.out.splitlines()
    assert ours.out.splitlines() == [line for line in lines if line != "import told"]
    assert ours.status == bare.status


@pytest.mark.skipif(not APART, reason="this version tells it by the program's own provider")
def test_who_wants_it_told_has_it_told(tmp_path: Path) -> None:
    with Receiver() as vendor:
        ran(tmp_path, vendor, instrument=True, CREWAI_DISABLE_TELEMETRY="false")
    assert vendor.span_names


@pytest.mark.skipif(find_spec("posthog") is None, reason="this version tells nobody")
def test_chroma_is_silent_and_the_posthog_of_the_application_is_not(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        import posthog, sys
        from chromadb.config import Settings, System
        from chromadb.telemetry.product.events import ClientStartEvent
        from chromadb.telemetry.product.posthog import Posthog

        told = []
        posthog.capture = lambda *args, **kwargs: told.append(args)
        system = System(Settings())
        Posthog(system).capture(ClientStartEvent())
        print(len(told), posthog.disabled)
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
