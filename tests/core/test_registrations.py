"""A registration is applied after its module's import, undone exactly, and reported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dist_infos import Site
from lazy_packages import TELEMETRY, Apply, Logged, Packages, states

from otel_agents.instrumentors import Patch, Registration, Telemetry, watch
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.patching.patches import Landmark

HOOKS = "hooks = []\ndef run(): return [hook() for hook in hooks]\n"


def hooked(telemetry: Telemetry, module: ModuleType) -> Callable[[], None]:
    """Registers a hook, as a handler or a processor."""

    def hook() -> bool:
        return telemetry is TELEMETRY

    module.hooks.append(hook)
    return lambda: module.hooks.remove(hook)


def test_it_is_done_on_import_with_the_telemetry_and_the_module(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make(hooks=HOOKS)
    patches = apply(Registration(f"{name}.hooks", hooked))
    packages.load(name)
    assert states(patches) == ["waiting"]
    assert packages.load(f"{name}.hooks").run() == [True]
    assert states(patches) == ["applied"]
    assert (str(patches.report()), logged()) == ("1 of 1 applied", [])


def test_it_is_done_at_once_where_the_module_is_imported_already(
    packages: Packages, apply: Apply
) -> None:
    name = packages.make(hooks=HOOKS)
    module = packages.load(f"{name}.hooks")
    patches = apply(Registration(f"{name}.hooks", hooked))
    assert (states(patches), module.run()) == (["applied"], [True])


def test_it_is_undone_exactly_and_once(packages: Packages, apply: Apply) -> None:
    name = packages.make(hooks=HOOKS)
    module = packages.load(f"{name}.hooks")
    module.hooks.append(lambda: "theirs")
    before = list(module.hooks)
    patches = apply(Registration(f"{name}.hooks", hooked))
    assert module.run() == ["theirs", True]
    patches.undo()
    assert module.hooks == before
    patches.undo()
    assert module.hooks == before


def test_undone_before_the_import_it_is_not_done(packages: Packages, apply: Apply) -> None:
    name = packages.make(hooks=HOOKS)
    apply(Registration(f"{name}.hooks", hooked)).undo()
    assert packages.load(f"{name}.hooks").hooks == []


def test_it_works_with_patches_of_the_same_module_and_is_undone_in_reverse_order(
    packages: Packages, apply: Apply
) -> None:
    order: list[str] = []

    def registered(name: str) -> Callable[[Any, ModuleType], Callable[[], None]]:
        def do(telemetry: Any, module: ModuleType) -> Callable[[], None]:
            order.append(f"{name} {hasattr(module.run, '__wrapped__')}")
            return lambda: order.append(f"not {name} {hasattr(module.run, '__wrapped__')}")

        return do

    name = packages.make(hooks=HOOKS)
    patches = apply(
        Registration(f"{name}.hooks", registered("first")),
        Patch(f"{name}.hooks:run", watch(lambda telemetry, call: order.append("run"))),
    )
    packages.load(f"{name}.hooks").run()
    patches.undo()
    assert order == ["first False", "run", "not first False"]
    assert [target.target for target in patches.report().targets] == [
        f"{name}.hooks",
        f"{name}.hooks:run",
    ]


def test_a_missing_attribute_of_the_module_is_missing(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    def moved(telemetry: Any, module: ModuleType) -> Callable[[], None]:
        return module.processors.clear

    name = packages.make(hooks=HOOKS)
    patches = apply(Registration(f"{name}.hooks", moved))
    packages.load(f"{name}.hooks")
    why = f"{name}.hooks has no processors"
    assert (states(patches), logged()) == (["missing"], [f"{name}.hooks: {why}"])
    assert patches.report().targets[0].detail == why


def test_a_module_that_is_not_there_is_missing(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make()
    patches = apply(Registration(f"{name}.hooks", hooked))
    packages.load(name)
    assert (states(patches), logged()) == (["missing"], [f"{name}.hooks: no module {name}.hooks"])


def test_in_versions_without_it_it_is_absent(
    packages: Packages, apply: Apply, logged: Logged, tmp_path: Path
) -> None:
    name = packages.make(a="")
    Site(tmp_path).install(name, "1.5")
    patches = apply(
        Registration(f"{name}.a", hooked, since="2"),
        Registration(f"{name}.hooks", hooked, until="1.5"),
        distributions=(name,),
    )
    packages.load(f"{name}.a")
    assert (states(patches), logged()) == (["absent", "absent"], [])
    assert str(patches.report()) == "0 of 0 applied"


def test_one_that_fails_is_reported_and_the_import_goes_on(
    packages: Packages, apply: Apply, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(telemetry: Any, module: ModuleType) -> Callable[[], None]:
        raise LookupError("a secret")

    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    name = packages.make(a="", hooks=HOOKS)
    patches = apply(Registration(f"{name}.a", fails), Registration(f"{name}.hooks", hooked))
    packages.load(f"{name}.a")
    assert packages.load(f"{name}.hooks").run() == [True]
    assert states(patches) == ["missing", "applied"]
    assert (caught, logged()) == ([f"patching {name}.a"], [f"{name}.a: could not be patched"])


def test_one_that_cannot_be_undone_is_reported_and_the_others_are_undone(
    packages: Packages, apply: Apply, monkeypatch: pytest.MonkeyPatch
) -> None:
    def for_ever(telemetry: Any, module: ModuleType) -> Callable[[], None]:
        def fails() -> None:
            raise LookupError

        return fails

    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    name = packages.make(a="", hooks=HOOKS)
    patches = apply(Registration(f"{name}.hooks", hooked), Registration(f"{name}.a", for_ever))
    packages.load(f"{name}.a")
    module = packages.load(f"{name}.hooks")
    patches.undo()
    assert (caught, module.hooks) == (["undoing a patch"], [])


def test_a_landmark_is_found_where_it_is_defined(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make(hooks="def factory(): ...\n", moved="from .hooks import factory\n")
    patches = apply(
        Landmark(f"{name}.hooks:factory"),
        Landmark(f"{name}.hooks:renamed"),
        Landmark(f"{name}.moved:factory"),
    )
    factory = packages.load(f"{name}.hooks").factory
    assert packages.load(f"{name}.moved").factory is factory
    assert states(patches) == ["applied", "missing", "missing"]
    assert len(logged()) == 2
