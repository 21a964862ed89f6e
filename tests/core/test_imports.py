"""Patches are prepared when the import of a framework starts, and not before."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forked import in_a_forked_child

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.patching import imports
from otel_agents.instrumentors._core.patching.imports import ImportTrigger

PACKAGE = "announced_package"


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What happens, in order; a package that is not imported yet adds to it."""
    (tmp_path / f"{PACKAGE}.py").write_text("import sys; sys.order.append('imported')")
    (tmp_path / "second_package.py").write_text("")
    (tmp_path / "another_package.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    order: list[str] = []
    monkeypatch.setattr(sys, "order", order, raising=False)
    yield order
    for name in (PACKAGE, "second_package", "another_package"):
        sys.modules.pop(name, None)


def test_it_fires_once_before_the_package_runs(order: list[str]) -> None:
    ImportTrigger((PACKAGE, "another_name"), lambda: order.append("prepared"))
    assert order == []
    importlib.import_module(PACKAGE)
    sys.modules.pop(PACKAGE)
    importlib.import_module(PACKAGE)
    assert order == ["prepared", "imported", "imported"]


def test_it_fires_at_once_for_an_imported_package(order: list[str]) -> None:
    importlib.import_module(PACKAGE)
    ImportTrigger((PACKAGE,), lambda: order.append("prepared"))
    assert order == ["imported", "prepared"]


def test_a_cancelled_trigger_does_not_fire(order: list[str]) -> None:
    trigger = ImportTrigger((PACKAGE,), lambda: order.append("prepared"))
    assert trigger.cancel()
    assert not trigger.cancel()
    importlib.import_module(PACKAGE)
    trigger.fire()
    assert order == ["imported"]


def test_a_failure_is_reported_and_the_import_goes_on(
    order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(errors, "internal_error", order.append)
    ImportTrigger((PACKAGE,), fail)
    importlib.import_module(PACKAGE)
    assert order == ["preparing patches", "imported"]


def test_an_import_in_another_thread_waits_until_all_is_prepared(order: list[str]) -> None:
    importing = threading.Thread(target=importlib.import_module, args=(PACKAGE,))

    def prepare() -> None:
        importing.start()
        order.append("prepared")

    ImportTrigger(("second_package", PACKAGE), prepare)
    importlib.import_module("second_package")
    importing.join()
    assert order == ["prepared", "imported"]


def test_two_threads_that_wait_for_each_other_go_on(
    order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One prepares and needs what the other is importing, which imports the package."""
    monkeypatch.setattr(imports, "_WAIT_SECONDS", 0.1)
    importing = threading.Thread(target=importlib.import_module, args=(PACKAGE,))

    def prepare() -> None:
        importing.start()
        importing.join()
        order.append("prepared")

    ImportTrigger(("second_package", PACKAGE), prepare)
    importlib.import_module("second_package")
    assert order == ["imported", "prepared"]


def test_find_spec_prepares_nothing(order: list[str]) -> None:
    ImportTrigger((PACKAGE,), lambda: order.append("prepared"))
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    loader: Any = spec.loader
    assert loader.get_source(PACKAGE).startswith("import sys")
    assert order == []


def test_what_is_imported_has_its_own_loader(order: list[str]) -> None:
    plain = importlib.import_module("second_package")
    ImportTrigger((PACKAGE,), lambda: order.append("prepared"))
    module = importlib.import_module(PACKAGE)
    assert module.__spec__ is not None
    assert type(module.__loader__) is type(module.__spec__.loader) is type(plain.__loader__)
    assert importlib.reload(module) is module
    assert order == ["prepared", "imported", "imported"]


def test_it_fires_for_a_namespace_package(order: list[str], tmp_path: Path) -> None:
    (tmp_path / "a_namespace").mkdir()
    ImportTrigger(("a_namespace",), lambda: order.append("prepared"))
    importlib.import_module("a_namespace")
    del sys.modules["a_namespace"]
    assert order == ["prepared"]


def test_other_imports_go_on_while_all_is_prepared(order: list[str]) -> None:
    """Python holds a lock of the whole process while it looks for a module."""
    importing = threading.Thread(target=importlib.import_module, args=("second_package",))

    def prepare() -> None:
        importing.start()
        importing.join(20)
        assert not importing.is_alive()
        order.append("prepared")

    ImportTrigger((PACKAGE,), prepare)
    importlib.import_module(PACKAGE)
    assert order == ["prepared", "imported"]


def test_a_firing_trigger_does_not_delay_another(order: list[str]) -> None:
    ImportTrigger(("another_package",), lambda: order.append("the other one"))

    def prepare() -> None:
        other = threading.Thread(target=importlib.import_module, args=("another_package",))
        other.start()
        other.join(20)

    ImportTrigger((PACKAGE,), prepare)
    importlib.import_module(PACKAGE)
    assert order == ["the other one", "imported"]


def test_a_child_forked_while_one_fires_does_not_wait_for_it(order: list[str]) -> None:
    forking, forked = threading.Event(), threading.Event()

    def prepare() -> None:
        forking.set()
        forked.wait(20)

    making = ImportTrigger((PACKAGE,), prepare)
    thread = threading.Thread(target=making.fire)
    thread.start()
    assert forking.wait(20)

    def child() -> object:
        began = time.monotonic()
        importlib.import_module(PACKAGE)
        ImportTrigger(("another_package",), lambda: order.append("triggered")).fire()
        return order, time.monotonic() - began < 2

    assert in_a_forked_child(child, meanwhile=forked.set) == "(['imported', 'triggered'], True)"
    thread.join()


def test_a_child_does_not_inherit_the_lock_locked(order: list[str]) -> None:
    locked, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with vars(imports)["_lock"]:
            locked.set()
            forked.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(20)

    def child() -> object:
        ImportTrigger((PACKAGE,), lambda: order.append("triggered")).fire()
        return order

    assert in_a_forked_child(child, meanwhile=forked.set) == "['triggered']"
    thread.join()


def test_an_unused_framework_imports_nothing() -> None:
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


def test_so_do_those_of_a_second_framework() -> None:
    """The import hooks' finder runs before ours and does not know them yet."""
    program = """
        from otel_agents.instrumentors import AgentInstrumentor, Patch

        class Instrumentor(AgentInstrumentor):
            requires = ("otel-agents-instrumentors",)

            def patches(self):
                yield Patch(f"{self.plain_name}.no_such_module:f", print)

        class First(Instrumentor):
            _instance, plain_name = None, "toyagents"

        class Second(Instrumentor):
            _instance, plain_name = None, "toymodels"

        First().instrument()
        Second().instrument()
        import toyagents, toymodels

        print(First().report(), Second().report(), sep="; ")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        cwd=Path(__file__).parents[1] / "toys",
        text=True,
        check=True,
    )
    assert done.stdout == (
        "0 of 1 applied, missing toyagents.no_such_module:f; "
        "0 of 1 applied, missing toymodels.no_such_module:f\n"
    )


def test_import_hooks_registered_by_a_trigger_see_the_same_import() -> None:
    """wrapt inserts its finder on first use, when this import has passed that position already."""
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
