"""The base class: which versions it accepts, and when it is not applied."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import toyagents
from dist_infos import Site
from opentelemetry.instrumentation.dependencies import DependencyConflictError

from otel_agents.instrumentors import (
    AgentInstrumentor,
    Call,
    InvokeAgent,
    Patch,
    Telemetry,
    hosting,
)
from otel_agents.instrumentors._core.patching import conflicts
from otel_agents.testing.emission import Emission


def run(telemetry: Telemetry, call: Call) -> InvokeAgent:
    return InvokeAgent(telemetry, call.instance.name)


class ToyInstrumentor(AgentInstrumentor):
    """Records the runs of toyagents."""

    plain_name = "toy"
    packages = ("toyagents",)
    requires = ("toyagents-classic >= 0.1, < 1", "toyagents >= 1, < 2")
    conflicting = ("rival-of-toy",)

    def patches(self) -> Iterable[Patch]:
        yield Patch("toyagents:Agent.run", run)


@pytest.fixture(autouse=True)
def instrumentor() -> Iterator[ToyInstrumentor]:
    instrumentor = ToyInstrumentor()
    yield instrumentor
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return Site(tmp_path)


@pytest.mark.parametrize(
    ("name", "version"),
    [("toyagents", "1.4.0"), ("toyagents", "1.5.0rc1"), ("toyagents-classic", "0.2")],
)
def test_any_requirement_suffices(
    name: str, version: str, site: Site, instrumentor: ToyInstrumentor, emission: Emission
) -> None:
    site.install(name, version)
    instrumentor.instrument(skip_dep_check=True, **emission.providers)
    assert toyagents.Agent("ada").run("hi") == "ada says hi"
    assert emission.names == ["invoke_agent ada"]
    assert str(instrumentor.report()) == "1 of 1 applied"
    instrumentor.uninstrument()
    assert toyagents.Agent("ada").run("hi") == "ada says hi"
    assert emission.names == ["invoke_agent ada"]
    assert instrumentor.report().targets == ()


@pytest.mark.parametrize("known", [True, False])
def test_a_moved_target_of_another_package_names_its_distribution(
    known: bool, site: Site, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    class Moved(ToyInstrumentor):
        _instance = None

        def patches(self) -> Iterable[Patch]:
            yield Patch("toyagents:Agent.moved", run)

    site.install("toyagents", "1.4.0")
    module = Moved.__module__.partition(".")[0]
    if known:
        entry = f"[opentelemetry_instrumentor]\nhouse = {module}:Moved\n"
        site.install("house-telemetry", "1.0", entry)
    moved = Moved()
    with caplog.at_level(logging.WARNING, "otel_agents"):
        moved.instrument(**emission.providers)
    moved.uninstrument()
    (line,) = caplog.messages
    assert line.endswith(f", and update {'house-telemetry' if known else module}")


@pytest.mark.parametrize("option", ["skip_dep_check", "raise_exception_on_conflict"])
@pytest.mark.parametrize("installed", [None, "0.9", "2.0"])
def test_an_unsupported_version_is_refused_whatever_the_loader_checked(
    installed: str | None, option: str, site: Site, instrumentor: ToyInstrumentor
) -> None:
    if installed:
        site.install("toyagents", installed)
    with pytest.raises(DependencyConflictError) as raised:
        instrumentor.instrument(**{option: True})
    assert raised.value.conflict.found == (f"toyagents {installed}" if installed else None)
    assert not instrumentor.is_instrumented_by_opentelemetry


def test_a_distribution_of_that_name_without_the_package_is_another_library(
    site: Site, instrumentor: ToyInstrumentor, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("toyagents", "2.0")
    monkeypatch.setattr(ToyInstrumentor, "packages", ("toyagents_of_old",))
    with pytest.raises(DependencyConflictError) as raised:
        instrumentor.instrument(skip_dep_check=True)
    assert raised.value.conflict.found is None


@pytest.fixture
def other(site: Site, tmp_path: Path) -> Iterator[None]:
    site.install("toyagents", "1.4.0")
    entry = "[opentelemetry_instrumentor]\ntoy_rival = rival_of_toy:Rival\n"
    site.install("rival-of-toy", "1.0", entry)
    (tmp_path / "rival_of_toy.py").write_text(
        "class Rival:\n    def instrumentation_dependencies(self):\n        return ['toyagents >= 1']\n"
    )
    yield
    sys.modules.pop("rival_of_toy", None)


@pytest.mark.usefixtures("other")
def test_under_another_distro_ours_is_not_applied_if_theirs_is_active(
    instrumentor: ToyInstrumentor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(conflicts, "_taken_over", False)
    with caplog.at_level(logging.WARNING, "otel_agents"):
        instrumentor.instrument(skip_dep_check=True)
    assert not instrumentor.is_instrumented_by_opentelemetry
    assert [record.getMessage() for record in caplog.records] == [
        (
            "otel-agents: toy is instrumented by rival-of-toy, so ours is not applied; disable theirs "
            "by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=toy_rival, or use our distro"
        )
    ]


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize("why", ["disabled", "our distro", "instrumented by hand"])
def test_ours_runs_if_theirs_is_disabled_or_ours_is_instrumented_by_hand(
    why: str,
    instrumentor: ToyInstrumentor,
    emission: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conflicts, "_taken_over", False)
    if why == "disabled":
        monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "toy_rival, other")
    elif why == "our distro":
        hosting.take_over_loading()
    options = {} if why == "instrumented by hand" else {"skip_dep_check": True}
    instrumentor.instrument(**options, **emission.providers)
    assert instrumentor.is_instrumented_by_opentelemetry
