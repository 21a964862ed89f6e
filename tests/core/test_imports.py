"""Patches are prepared when the import of a framework begins, and not before."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.patching.imports import Announcement

PACKAGE = "announced_package"


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What happens, in order; a package that is not imported yet adds to it."""
    (tmp_path / f"{PACKAGE}.py").write_text("import sys; sys.order.append('imported')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    order: list[str] = []
    monkeypatch.setattr(sys, "order", order, raising=False)
    yield order
    sys.modules.pop(PACKAGE, None)


def test_it_is_made_before_the_package_runs_and_once(order: list[str]) -> None:
    Announcement((PACKAGE, "another_name"), lambda: order.append("prepared"))
    assert order == []
    importlib.import_module(PACKAGE)
    sys.modules.pop(PACKAGE)
    importlib.import_module(PACKAGE)
    assert order == ["prepared", "imported", "imported"]


def test_what_is_imported_already_is_announced_at_once(order: list[str]) -> None:
    importlib.import_module(PACKAGE)
    Announcement((PACKAGE,), lambda: order.append("prepared"))
    assert order == ["imported", "prepared"]


def test_what_is_cancelled_is_not_announced(order: list[str]) -> None:
    announcement = Announcement((PACKAGE,), lambda: order.append("prepared"))
    assert announcement.cancel()
    assert not announcement.cancel()
    importlib.import_module(PACKAGE)
    announcement.make()
    assert order == ["imported"]


def test_a_failure_is_reported_and_the_import_goes_on(
    order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(errors, "internal_error", order.append)
    Announcement((PACKAGE,), fail)
    importlib.import_module(PACKAGE)
    assert order == ["preparing patches", "imported"]


def test_an_import_in_another_thread_waits_until_all_is_prepared(order: list[str]) -> None:
    importing = threading.Thread(target=importlib.import_module, args=(PACKAGE,))

    def prepare() -> None:
        importing.start()
        order.append("prepared")

    Announcement((PACKAGE,), prepare)
    importlib.util.find_spec(PACKAGE)  # as a program does that asks what is installed
    importing.join()
    assert order == ["prepared", "imported"]


def test_nothing_of_ours_is_imported_for_a_framework_that_is_not_used() -> None:
    program = """
        import sys
        from otel_agents.instrumentors.openai import OpenAIInstrumentor

        OpenAIInstrumentor().instrument()
        loaded = [name for name in sys.modules if name.startswith("otel_agents.semconv")]
        import openai

        assert openai.OpenAI.request.__wrapped__
        print(loaded, "otel_agents.semconv.attributes" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("[] True\n", "")


def test_hooks_that_are_registered_meanwhile_see_that_very_import() -> None:
    """wrapt puts its finder first when it is first used, where this import has passed already."""
    program = """
        from otel_agents.instrumentors import AgentInstrumentor

        class Instrumentor(AgentInstrumentor):
            plain_name = "toymodels"
            requires = ("otel-agents-instrumentors",)

            def patches(self):
                from otel_agents.instrumentors import Patch

                yield Patch("toymodels.no_such_module:f", print)

        instrumentor = Instrumentor()
        instrumentor.instrument()
        import toymodels

        print(instrumentor.report())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        cwd=Path(__file__).parents[1] / "toys",
        text=True,
        check=True,
    )
    assert done.stdout == "0 of 1 applied, missing toymodels.no_such_module:f\n"
