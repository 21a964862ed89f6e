"""The laws of a patch: it waits, it leaves no trace, and it reports what it did not find."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import logging
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import toyagents
import wrapt

from otel_agents.instrumentors._core.calls.call import Switch, Wrapping
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.patching.reports import TargetReport

Function = Callable[..., Any]
NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""


class By:
    """Replaces a function by a wrapping."""

    def __init__(self, wrapping: Wrapping) -> None:
        self._wrapping = wrapping

    def bind(self, telemetry: object) -> Wrapping:
        return self._wrapping


@By
def shouting(function: Function, switch: Switch, bound: bool) -> Function:
    """A visible wrapping: the result in capitals."""

    @functools.wraps(function)
    def shout(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return result.upper() if switch.on else result

    return shout


@pytest.fixture
def patched() -> Iterator[Callable[..., PatchSet]]:
    """Applies patches, and undoes them at the end."""
    sets: list[PatchSet] = []

    def apply(*patches: Patch) -> PatchSet:
        sets.append(PatchSet("toy", patches, NOTHING, ("otel-agents-instrumentors",)))
        sets[-1].apply()
        return sets[-1]

    yield apply
    for patches in reversed(sets):
        patches.undo()


def state_of(owner: object) -> dict[str, Any]:
    return dict(vars(owner))


TARGETS: list[tuple[str, Any, Callable[[], str]]] = [
    ("toyagents:complete", toyagents, lambda: toyagents.complete("hi")),
    ("toyagents:Agent.run", toyagents.Agent, lambda: toyagents.Agent("ada").run("hi")),
    ("toyagents:Agent.decorated", toyagents.Agent, lambda: toyagents.Agent("a").decorated("hi")),
    ("toyagents:Agent.shout", toyagents.Agent, lambda: toyagents.Agent.shout("hi")),
    ("toyagents:Child.run", toyagents.Child, lambda: toyagents.Child("ada").run("hi")),
]


@pytest.mark.parametrize(("target", "owner", "call"), TARGETS)
def test_a_patch_applies_and_its_undo_leaves_no_trace(
    target: str, owner: Any, call: Callable[[], str], patched: Callable[..., PatchSet]
) -> None:
    before, result = state_of(owner), call()
    patches = patched(Patch(target, shouting))
    assert call() == result.upper()
    assert patches.report().targets == (TargetReport(target, "applied"),)
    patches.undo()
    assert call() == result
    assert state_of(owner) == before


def test_a_module_that_changed_its_name_is_patched(
    patched: Callable[..., PatchSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toyagents, "__name__", "elsewhere")
    patches = patched(Patch("toyagents:complete", shouting))
    assert toyagents.complete("hi") == "ASKED HI"
    assert str(patches.report()) == "1 of 1 applied"


def bound_before(prompt: str) -> str:
    return BOUND_BEFORE(toyagents.Agent("ada"), prompt)


BOUND_BEFORE = toyagents.Agent.decorated


def test_a_decorated_function_is_replaced_for_names_that_were_bound_before(
    patched: Callable[..., PatchSet],
) -> None:
    before, function = state_of(toyagents.Agent), toyagents.Agent.decorated
    patches = patched(Patch("toyagents:Agent.decorated", shouting, decorated="function"))
    assert bound_before("hi") == toyagents.Agent("ada").decorated("hi") == "ADA SAYS HI"
    assert toyagents.Agent.decorated is function
    assert str(patches.report()) == "1 of 1 applied"
    patches.undo()
    assert bound_before("hi") == "ada says hi"
    assert state_of(toyagents.Agent) == before


def test_a_later_wrapper_of_a_decorated_function_stays(
    patched: Callable[..., PatchSet],
) -> None:
    first = patched(Patch("toyagents:Agent.decorated", shouting, decorated="function"))
    second = patched(Patch("toyagents:Agent.decorated", shouting, decorated="function"))
    first.undo()
    assert bound_before("hi") == "ADA SAYS HI"
    second.undo()
    assert bound_before("hi") == "ada says hi"


@pytest.mark.parametrize("target", ["toyagents:complete", "toyagents:Agent.run"])
def test_a_function_that_is_not_decorated_as_expected_is_missing(
    target: str, patched: Callable[..., PatchSet]
) -> None:
    patches = patched(Patch(target, shouting, decorated="function"))
    (found,) = patches.report().targets
    assert found.state == "missing"
    assert found.detail.endswith("is not decorated, or keeps no function")


def test_a_class_method_stays_one(patched: Callable[..., PatchSet]) -> None:
    @By
    def naming(function: Function, switch: Switch, bound: bool) -> Function:
        @functools.wraps(function)
        def named(cls: Any, name: str) -> Any:
            assert bound
            return function(cls, name.upper())

        return named

    before = state_of(toyagents.Agent)
    patches = patched(Patch("toyagents:Agent.named", naming))
    assert toyagents.Child.named("ada").name == "ADA"
    assert type(toyagents.Child.named("ada")) is toyagents.Child
    patches.undo()
    assert state_of(toyagents.Agent) == before


@pytest.mark.parametrize("function", ["complete", "Agent.run", "Agent.stream"])
def test_a_patched_function_pickles_copies_and_inspects_as_before(
    function: str, patched: Callable[..., PatchSet]
) -> None:
    def found() -> Any:
        return functools.reduce(getattr, function.split("."), toyagents)

    signature = inspect.signature(found())
    patched(Patch(f"toyagents:{function}", shouting))
    assert pickle.loads(pickle.dumps(found())) is found()  # our own pickle
    assert copy.deepcopy(found()) is found()
    assert inspect.signature(found()) == signature
    assert inspect.isfunction(found())
    agent = copy.deepcopy(toyagents.Agent("ada"))
    assert pickle.loads(pickle.dumps(agent)).name == "ada"  # our own pickle


def test_where_somebody_wrapped_us_since_theirs_stays_and_ours_is_off(
    patched: Callable[..., PatchSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    patches = patched(Patch("toyagents:complete", shouting))
    ours = toyagents.complete

    def theirs(prompt: str) -> str:
        return f"<{ours(prompt)}>"

    monkeypatch.setattr(toyagents, "complete", theirs)
    assert toyagents.complete("hi") == "<ASKED HI>"
    patches.undo()
    assert toyagents.complete("hi") == "<asked hi>"
    monkeypatch.undo()
    setattr(toyagents, "complete", inspect.unwrap(ours))  # noqa: B010  as a reload would


def test_what_somebody_set_back_on_a_subclass_does_not_hide_the_next_replacement(
    patched: Callable[..., PatchSet],
) -> None:
    """As OpenInference does, which replaces an inherited method and later sets what was there."""
    row = Patch("toyagents:Agent.run", shouting)

    class Planner(toyagents.Agent):
        pass

    first = patched(row)
    found = Planner.run
    first.undo()
    setattr(Planner, "run", found)  # noqa: B010  as by its name
    quiet = Planner("ada").run("hi")
    assert quiet != quiet.upper()
    patched(row)
    assert Planner("ada").run("hi") == quiet.upper()
    assert "run" not in vars(Planner)


def test_nor_is_what_else_a_subclass_has_removed(patched: Callable[..., PatchSet]) -> None:
    class Planner(toyagents.Agent):
        run = toyagents.Agent.run

    row = Patch("toyagents:Agent.run", shouting)
    own = vars(Planner)["run"]
    patched(row)
    assert vars(Planner)["run"] is own
    setattr(Planner, "run", vars(toyagents.Agent)["run"])  # noqa: B010  one that is applied
    patched(row)
    assert "run" in vars(Planner)


def test_an_earlier_wrapper_still_gets_the_instance(patched: Callable[..., PatchSet]) -> None:
    """What wrapt makes takes the instance only if it is read from the class, or from an object."""
    instances: list[Any] = []

    def observe(wrapped: Function, instance: Any, args: Any, kwargs: Any) -> Any:
        instances.append(instance)
        inspect.signature(wrapped).bind(*args, **kwargs)  # as LlamaIndex's wrapper does
        return wrapped(*args, **kwargs)

    original = vars(toyagents.Agent)["run"]
    wrapt.wrap_function_wrapper(toyagents, "Agent.run", observe)
    theirs = vars(toyagents.Agent)["run"]
    try:
        patches = patched(Patch("toyagents:Agent.run", shouting))
        agent = toyagents.Agent("ada")
        assert agent.run("hi") == agent.run("hi").upper()
        patches.undo()
        assert vars(toyagents.Agent)["run"] is theirs
        assert instances == [agent, agent]
    finally:
        toyagents.Agent.run = original


def test_a_bound_method_kept_from_before_the_undo_is_off(
    patched: Callable[..., PatchSet],
) -> None:
    patches = patched(Patch("toyagents:Agent.run", shouting))
    kept = toyagents.Agent("ada").run
    assert kept("hi") == "ADA SAYS HI"
    patches.undo()
    assert kept("hi") == "ada says hi"


class Early(toyagents.Model):
    def call(self, prompt: str) -> str:
        return f"early {prompt}"


def test_an_abstract_method_is_patched_in_every_subclass(
    patched: Callable[..., PatchSet],
) -> None:
    before = state_of(toyagents.Model)
    patches = patched(Patch("toyagents:Model.call", shouting, subclasses=True))

    class Late(toyagents.Model):
        def call(self, prompt: str) -> str:
            return f"late {prompt}"

    class Heir(Early): ...

    models = [toyagents.Parrot(), Early(), Heir(), Late()]
    assert [model.call("hi") for model in models] == ["HI", "EARLY HI", "EARLY HI", "LATE HI"]
    assert inspect.isabstract(toyagents.Model)
    patches.undo()
    assert [model.call("hi") for model in models] == ["hi", "early hi", "early hi", "late hi"]
    assert state_of(toyagents.Model) == before


def test_a_method_is_patched_in_its_class_and_where_it_is_overridden(
    patched: Callable[..., PatchSet],
) -> None:
    before = state_of(toyagents.Agent)
    patches = patched(Patch("toyagents:Agent.run", shouting, overrides=True))

    class Other(toyagents.Agent):
        def run(self, prompt: str, *, times: int = 1) -> str:
            return f"other {prompt}"

    agents = [toyagents.Agent("ada"), toyagents.Child("bob"), Other("cy")]
    assert [agent.run("hi") for agent in agents] == ["ADA SAYS HI", "BOB SAYS HI", "OTHER HI"]
    assert str(patches.report()) == "1 of 1 applied"
    patches.undo()
    assert [agent.run("hi") for agent in agents] == ["ada says hi", "bob says hi", "other hi"]
    assert state_of(toyagents.Agent) == before


def test_a_method_of_a_class_passed_as_an_argument_is_patched(
    patched: Callable[..., PatchSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine:
        def reply(self, prompt: str) -> str:
            return f"mine {prompt}"

    class Heir(Mine): ...

    class Stranger: ...

    def register(self: object, kind: type, **options: object) -> type:
        return kind

    monkeypatch.setattr(toyagents.Agent, "register", register, raising=False)
    before = [state_of(Mine), state_of(Heir)]
    patches = patched(Patch("toyagents:Agent.register", shouting, argument_method="reply"))
    agent: Any = toyagents.Agent("ada")
    assert [agent.register(kind) for kind in (Heir, Heir, Stranger)] == [Heir, Heir, Stranger]
    assert agent.register(kind=Mine) is Mine
    assert [Heir().reply("hi"), Mine().reply("hi")] == ["MINE HI", "MINE HI"]
    patches.undo()
    assert [Heir().reply("hi"), Mine().reply("hi")] == ["mine hi", "mine hi"]
    assert [state_of(Mine), state_of(Heir)] == before
    assert agent.register(Mine) is Mine
    assert state_of(Mine) == before[0]


def test_targets_that_this_version_should_have_are_missing_and_others_absent(
    patched: Callable[..., PatchSet], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "otel_agents"):
        report = patched(
            Patch("toyagents:complete", shouting),
            Patch("toyagents:Agent.gone", shouting),
            Patch("toyagents.gone:ask", shouting),
            Patch("toyagents:Agent.new", shouting, since="999"),
            Patch("toyagents:Agent.old", shouting, until="0.0.1"),
        ).report()
    assert [(target.target, target.state) for target in report.targets] == [
        ("toyagents:complete", "applied"),
        ("toyagents:Agent.gone", "missing"),
        ("toyagents.gone:ask", "missing"),
        ("toyagents:Agent.new", "absent"),
        ("toyagents:Agent.old", "absent"),
    ]
    assert str(report) == "1 of 3 applied, missing toyagents:Agent.gone, toyagents.gone:ask"
    assert [record.getMessage() for record in caplog.records] == [
        f"otel-agents: toy: {target} was not found ({why}), so its calls are not recorded; "
        "see `otel-agents doctor`, and update otel-agents"
        for target, why in (
            ("toyagents:Agent.gone", "Agent has no gone"),
            ("toyagents.gone:ask", "no module toyagents.gone"),
        )
    ]


def test_a_patch_waits_for_the_import_and_imports_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patched: Callable[..., PatchSet]
) -> None:
    package = tmp_path / "lazytoys"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text("def ask(prompt):\n    return prompt\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    patches = patched(Patch("lazytoys.inner:ask", shouting), Patch("lazytoys.gone:ask", shouting))
    assert "lazytoys" not in sys.modules
    states = [target.state for target in patches.report().targets]
    assert states == ["waiting", "waiting"]

    importlib.import_module("lazytoys")
    assert "lazytoys.inner" not in sys.modules
    states = [target.state for target in patches.report().targets]
    assert states == ["waiting", "missing"]
    assert str(patches.report()).startswith("0 of 2 applied, 1 waiting for import")

    inner = importlib.import_module("lazytoys.inner")
    assert inner.ask("hi") == "HI"
    for name in ("lazytoys.inner", "lazytoys"):
        del sys.modules[name]


def test_a_module_in_a_folder_that_is_no_package_is_found(
    patched: Callable[..., PatchSet], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "toylayers" / "inner" / "plain"
    folder.mkdir(parents=True)
    for package in (tmp_path / "toylayers", tmp_path / "toylayers" / "inner"):
        (package / "__init__.py").write_text("")
    (folder / "deep.py").write_text("def complete(prompt):\n    return prompt\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    patches = patched(
        Patch("toylayers.inner.plain.deep:complete", shouting),
        Patch("toylayers.inner.plain.other:complete", shouting, one_of="others"),
    )
    importlib.import_module("toylayers")
    deep: Any = importlib.import_module("toylayers.inner.plain.deep")
    assert deep.complete("hi") == "HI"
    assert patches.report().of("applied") == ["toylayers.inner.plain.deep:complete"]


def test_undo_before_the_import_means_no_patch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patched: Callable[..., PatchSet]
) -> None:
    (tmp_path / "latetoys.py").write_text("def ask(prompt):\n    return prompt\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    patched(Patch("latetoys:ask", shouting)).undo()
    assert importlib.import_module("latetoys").ask("hi") == "hi"
    del sys.modules["latetoys"]


def test_no_instrumentor_imports_its_framework() -> None:
    code = (
        "import sys\n"
        "from otel_agents.instrumentors.openai import OpenAIInstrumentor\n"
        "OpenAIInstrumentor().instrument()\n"
        "assert not {'openai', 'opentelemetry.sdk'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Repeats:
    """Called as a function, and never bound to its owner."""

    def __call__(self, prompt: str) -> str:
        return prompt


@pytest.mark.parametrize("attribute", [functools.partial(str, "hi"), Repeats(), str, "".join])
def test_an_unbound_callable_is_called_without_the_instance(
    attribute: Any, patched: Callable[..., PatchSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toyagents.Agent, "said", attribute, raising=False)
    arguments = () if isinstance(attribute, functools.partial) else ("hi",)
    owner: Any = toyagents.Agent
    patches = patched(Patch("toyagents:Agent.said", shouting))
    assert (owner("ada").said(*arguments), owner.said(*arguments)) == ("HI", "HI")
    patches.undo()
    assert vars(toyagents.Agent)["said"] is attribute
