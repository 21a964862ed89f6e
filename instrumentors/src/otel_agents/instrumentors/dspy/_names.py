"""What a program is called: by its class, which the application wrote, or by its signature."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import items

if TYPE_CHECKING:
    from ._types import Module, Signature

__all__ = [
    "Nature",
    "class_name",
    "derived",
    "is_built_in",
    "is_program",
    "nature_of",
    "program_name",
    "program_of",
    "step_name",
]

_GENERATED: Final = ("Signature", "StringSignature")
"""The names that DSPy gives to signatures without one."""
_LONGEST: Final = 80
"""Characters of a signature that still serves as a name."""
_ORIGINS: Final[ByObject[type, tuple[str | None, str]]] = ByObject()
"""Name and fields of the signature that the application wrote, by what was derived from it."""
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SYNCIFIED: Final = "dspy.utils.syncify"
"""The module of the programs that run the method of another one."""
_ENSEMBLE: Final = "dspy.teleprompt.ensemble"
"""The module of the program that runs several: their common name is its own."""
_AGENTS: Final = frozenset(("Avatar", "CodeAct", "RLM", "ReAct", "ReActV2"))
_FORWARD: Final = ("forward", "aforward")
_RUNNING: Final = (*_FORWARD, "__call__", "acall")
"""The methods that a program which does something of its own defines."""
_HOLDERS: Final = ("predict", "_predict")
"""Where DSPy's programs keep the predictor with their signature."""


class Nature(NamedTuple):
    """What a class of programs is: the same for each of its programs.

    Attributes:
        built_in: The class is DSPy's own.
        agent: The class is one of DSPy's agents, or derived from one.
        runs_built_in: The code that runs is DSPy's own; the application may have derived the class.
        step_type: The step type: DSPy's class in lower case, or ``module``.
    """

    built_in: bool
    agent: bool
    runs_built_in: bool
    step_type: str


_NATURES: Final[ByObject[type, Nature]] = ByObject()


def is_program(value: Any) -> bool:
    """Return whether it is a program: a function may be evaluated or optimized as one."""
    return hasattr(value, "named_predictors")


def program_of(program: Module) -> Module:
    """Return the program that ``syncify`` wrapped; else the program itself."""
    wrapper: Any = program
    return wrapper.program if type(program).__module__ == _SYNCIFIED else program


def is_built_in(program: Module) -> bool:
    """Return whether the class is DSPy's own."""
    return type(program).__module__.partition(".")[0] == "dspy"


def nature_of(program: Module) -> Nature:
    """Return what the class of a program says about it."""
    kind = type(program)
    nature = _NATURES.get(kind)
    if nature is None:
        nature = _NATURES[kind] = Nature(
            is_built_in(program), _is_agent(kind), _runs_built_in(kind), _step_type(program)
        )
    return nature


def _is_agent(kind: type) -> bool:
    return any(
        base.__name__ in _AGENTS and base.__module__.startswith("dspy.predict.")
        for base in kind.__mro__
    )


def _runs_built_in(kind: type) -> bool:
    found = {name: getattr(kind, name, None) for name in _RUNNING}
    if not any(found[name] for name in _FORWARD):
        return False  # a program may have it itself
    modules = (getattr(method, "__module__", "") for method in found.values() if method is not None)
    return all(module.partition(".")[0] == "dspy" for module in modules)


def _step_type(program: Module) -> str:
    name = type(program).__name__
    return _WORD.sub("_", name).lower() if is_built_in(program) else "module"


def class_name(value: Any) -> str:
    """Return the name of a function, or of a value's class."""
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else type(value).__name__


def program_name(program: Module) -> str | None:
    """Return the name that the application gave: of its class, else of its signature's class."""
    return _name(program, _given)


def step_name(program: Module) -> str | None:
    """Return `program_name`; for a signature without a name, its fields."""
    return _name(program, lambda signature: _given(signature) or _fields(signature))


def _name(program: Module, of: Callable[[type[Signature]], str | None]) -> str | None:
    named = _within(program)
    if type(named).__module__ == _ENSEMBLE:
        names = {_name(one, of) for one in items(named, "programs")}
        return names.pop() if len(names) == 1 else None
    if not is_built_in(named):
        return type(named).__name__
    signature = _signature(named)
    return of(signature) if signature is not None else None


def _within(program: Module) -> Module:
    """Return the program that ``BestOfN`` and ``Refine`` run; else the program itself."""
    inner: Any = program_of(program)
    while is_program(inner) and is_built_in(inner):
        program, inner = inner, getattr(inner, "module", None)
    if is_program(inner):
        return inner
    return program


def derived(telemetry: Telemetry, call: Call, result: type[Signature]) -> None:
    """Observe ``Signature.insert(…)`` and its kin, which return a signature without a name.

    ``ChainOfThought`` adds an output, optimizers change instructions: the program stays the same.
    """
    original: type[Signature] = call.instance
    _ORIGINS[result] = _ORIGINS.get(original) or (_own_name(original), original.signature)


def _signature(program: Any) -> type[Signature] | None:
    found = getattr(program, "signature", None)
    for name in _HOLDERS:
        if found is None:
            found = getattr(getattr(program, name, None), "signature", None)
    return found


def _given(signature: type[Signature]) -> str | None:
    name, _ = _ORIGINS.get(signature) or (_own_name(signature), None)
    return name


def _own_name(signature: type[Signature]) -> str | None:
    return None if signature.__name__ in _GENERATED else signature.__name__


def _fields(signature: type[Signature]) -> str | None:
    _, fields = _ORIGINS.get(signature) or (None, signature.signature)
    return fields if len(fields) <= _LONGEST else None
