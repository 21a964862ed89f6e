"""The rows of a table: groups, missing targets, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dist_infos import Site
from lazy_packages import Apply, Logged, Packages, states

from otel_agents.instrumentors import AgentInstrumentor, Call, Patch, Registration, watch
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Bindable
from otel_agents.instrumentors._core.patching.patches import Row

TEXT = "def one(): return 1\ndef two(): return 2\nclass Model:\n    def ask(self): return 3\n"


@watch
def silent(telemetry: object, call: Call) -> None:
    """Observes, and does nothing."""


def nothing() -> None:
    """Fails to undo."""


# Groups.


def test_where_one_of_a_group_is_there_the_others_may_be_absent(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make(a=TEXT)
    patches = apply(
        Patch(f"{name}.a:gone", silent, one_of="tool call"),
        Patch(f"{name}.a:one", silent, one_of="tool call"),
        Patch(f"{name}.moved:one", silent, one_of="tool call"),
    )
    packages.load(f"{name}.a")
    assert states(patches) == ["absent", "applied", "absent"]
    assert str(patches.report()) == "1 of 1 applied"
    assert logged() == []


def test_a_group_without_any_target_is_missing_and_logged_once(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make(a=TEXT, b=TEXT, c=TEXT)
    patches = apply(
        Patch(f"{name}.a:gone", silent, one_of="tool call"),
        Patch(f"{name}.moved:one", silent, one_of="tool call"),
        Patch(f"{name}.b:Model.gone", silent, one_of="tool call"),
        Patch(f"{name}.c:one", silent, one_of="another"),
        Patch(f"{name}.c:gone", silent),
    )
    packages.load(f"{name}.a")
    assert states(patches) == ["absent", "absent", "waiting", "waiting", "waiting"]
    assert logged() == []
    packages.load(f"{name}.b")
    packages.load(f"{name}.c")
    assert states(patches) == ["missing", "missing", "missing", "applied", "missing"]
    assert logged() == [
        f"{name}.a:gone, {name}.moved:one, {name}.b:Model.gone: no target for tool call exists",
        f"{name}.c:gone: {name}.c has no gone",
    ]
    details = {target.detail for target in patches.report().targets[:3]}
    assert details == {"none of the targets for tool call exists"}


def test_a_group_whose_modules_are_all_gone_is_missing_with_the_package(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make()
    rows = [Patch(f"{name}.{module}:one", silent, one_of="tool call") for module in "ab"]
    patches = apply(*rows)
    packages.load(name)
    assert states(patches) == ["missing", "missing"]
    assert logged() == [f"{name}.a:one, {name}.b:one: no target for tool call exists"]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [("1", ["missing", "absent"]), ("2", ["absent", "missing"]), ("3", ["absent", "absent"])],
)
def test_missing_targets_of_a_group_are_those_that_the_version_should_have(
    installed: str,
    expected: list[str],
    packages: Packages,
    apply: Apply,
    logged: Logged,
    tmp_path: Path,
) -> None:
    name = packages.make(a=TEXT)
    Site(tmp_path).install(name, installed)
    patches = apply(
        Patch(f"{name}.a:old", silent, until="2", one_of="tool call"),
        Patch(f"{name}.a:new", silent, since="2", until="3", one_of="tool call"),
        distributions=(name,),
    )
    packages.load(f"{name}.a")
    assert states(patches) == expected
    missing = [row for row, state in zip(("old", "new"), expected, strict=True) if state[0] == "m"]
    assert logged() == [f"{name}.a:{row}: no target for tool call exists" for row in missing]


def test_a_group_may_be_of_patches_and_registrations(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make(a=TEXT)
    patches = apply(
        Patch(f"{name}.a:gone", silent, one_of="events"),
        Registration(f"{name}.a", lambda telemetry, module: nothing, one_of="events"),
    )
    packages.load(f"{name}.a")
    assert (states(patches), logged()) == (["absent", "applied"], [])


# Subclasses.


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("Model.gone", "Model has no gone"),
        ("Gone.ask", "{module} has no Gone"),
        ("Model.Inner.ask", "type object 'Model' has no attribute 'Inner'"),
    ],
)
@pytest.mark.parametrize(
    "how", [{"subclasses": True}, {"overrides": True}, {"argument_method": "ask"}]
)
def test_a_method_for_subclasses_that_is_not_there_is_missing(
    target: str, why: str, how: dict[str, Any], packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make(a=TEXT)
    patches = apply(Patch(f"{name}.a:{target}", silent, **how))
    module = packages.load(f"{name}.a")
    assert states(patches) == ["missing"]
    assert logged() == [f"{name}.a:{target}: {why.format(module=f'{name}.a')}"]
    assert "__init_subclass__" not in vars(module.Model)


# Internal errors.


class Unable:
    """Fails to replace a function."""

    def bind(self, telemetry: object) -> Any:
        raise LookupError("a secret")


def test_an_error_while_patching_is_reported_and_the_rest_is_patched(
    packages: Packages, apply: Apply, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    name = packages.make(a=TEXT)
    unable: Bindable = Unable()
    no_row: Any = Row(f"{name}.a:Model")
    patches = apply(Patch(f"{name}.a:one", unable), no_row, Patch(f"{name}.a:two", silent))
    module = packages.load(f"{name}.a")
    assert (module.one(), module.two.__wrapped__()) == (1, 2)
    assert states(patches) == ["missing", "missing", "applied"]
    assert caught == [f"patching {name}.a:one", f"patching {name}.a:Model"]
    assert logged() == [
        f"{name}.a:one: could not be patched",
        f"{name}.a:Model: could not be patched",
    ]


@pytest.mark.parametrize("group", [None, "tool call"])
def test_an_error_about_versions_is_reported_and_the_import_goes_on(
    group: str | None,
    packages: Packages,
    apply: Apply,
    logged: Logged,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    name = packages.make(a=TEXT)
    Site(tmp_path).install(name, "1")
    patches = apply(
        Patch(f"{name}.a:gone", silent, since="no version", one_of=group),
        Patch(f"{name}.moved:one", silent, since="no version", one_of=group),
        distributions=(name,),
    )
    assert packages.load(f"{name}.a").one() == 1
    assert states(patches) == ["missing", "missing"]
    assert len(logged()) == (1 if group else 2)
    assert set(caught) == {f"comparing the version of {name}.{it}" for it in ("a", "moved")}


def test_an_instrumentor_takes_the_bounds_of_the_distributions_that_it_requires(
    packages: Packages, tmp_path: Path
) -> None:
    name = packages.make(a=TEXT)
    Site(tmp_path).install(f"{name}-classic", "1.5", files=f"{name}/__init__.py")
    Site(tmp_path).install(f"{name}-next", "3", files=f"{name}_shell/__init__.py")

    class Instrumentor(AgentInstrumentor):
        plain_name = name
        requires = (f"{name}-next >= 2", f"{name}-classic >= 1, < 2")

        def patches(self) -> list[Patch]:
            return [
                Patch(f"{name}.a:one", silent),
                Patch(f"{name}.a:gone", silent, since={f"{name}-next": "3"}),
                Patch(f"{name}.a:new", silent, since={f"{name}-classic": "1.6"}),
                Patch(f"{name}.a:old", silent, until={f"{name}-classic": "1.5"}),
            ]

    instrumentor = Instrumentor()
    instrumentor.instrument()
    packages.load(f"{name}.a")
    try:
        found = [target.state for target in instrumentor.report().targets]
    finally:
        instrumentor.uninstrument()
    assert found == ["applied", "absent", "absent", "absent"]


def test_rows_of_one_target_are_reported_one_by_one(
    packages: Packages, apply: Apply, logged: Logged
) -> None:
    name = packages.make(hooks=TEXT)
    rows = [
        Registration(f"{name}.hooks", lambda _, module: module.add),
        Registration(f"{name}.hooks", lambda _, module: nothing),
    ]
    patches = apply(*rows)
    packages.load(f"{name}.hooks")
    assert states(patches) == ["missing", "applied"]
    assert logged() == [f"{name}.hooks: {name}.hooks has no add"]


def test_a_table_with_anything_but_rows_raises(apply: Apply) -> None:
    row: Any = "house:Agent.run"
    with pytest.raises(TypeError, match="a table contains rows, not str"):
        apply(row)
