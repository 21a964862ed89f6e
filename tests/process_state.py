"""What we keep for the lifetime of a process: tables and locks of modules and classes.

That is what modules have after their import. An object that is created later, such as an
instrumentor, bounds what it has by itself. Its locks are found by `locks`.

Each of them is bounded and correct in a forked child. These are:

- immutable objects: tuples, frozen sets, `types.MappingProxyType`, OpenTelemetry's `Context`, and what
  they hold; a frozen dataclass whose fields are declared immutable, as `Mapping`;
- the tables of the ground (`tables.Bounded`, `tables.Recent`, `tables.ByObject`, `tables.Counts`) and its
  lock (`forking.Lock`), which ensure both themselves;
- a `functools.lru_cache` with a size: its entries are the same in a child;
- weak tables and deques with a length, where a child empties them (`renew_after_fork(TABLE.clear)`);
- anything else that threads wait with, if its owner renews it in a child
  (`renew_after_fork(self.renew)`).
"""

from __future__ import annotations

import dataclasses
import gc
import importlib
import pkgutil
import queue
import re
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from types import ModuleType
from typing import Any, cast

from opentelemetry.context import Context

from otel_agents.instrumentors._core import forking, system
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.tables import Bounded, ByObject, Counts, InUse, Recent

__all__ = ["LOCKS", "WAITING", "findings", "is_renewed", "locks", "modules"]

_FACTORIES: tuple[Callable[[], Any], ...] = (
    threading.Lock,
    threading.RLock,
    system.Lock,
    system.RLock,
)
LOCKS: tuple[Any, ...] = (*(cast(Any, type(make())) for make in _FACTORIES), threading.Condition)
WAITING: tuple[type[Any], ...] = (
    *(
        *LOCKS,
        threading.Event,
        threading.Semaphore,
        threading.Barrier,
        threading.Thread,
        queue.Queue,
        queue.SimpleQueue,
    ),
)
"""What is broken in a forked child if another thread held it, or was it."""

_WEAK = (weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet)
_GROWING = (dict, list, set, bytearray, deque, *_WEAK)
_CONSTANT = (types.MappingProxyType, Context)
_GROUND = (Bounded, ByObject, Counts, InUse, Lock, Recent)
_PACKAGES = ("semconv", "instrumentors", "api", "distro", "testing")
_CHANGEABLE = re.compile(r"\b(dict|list|set|deque|bytearray|Counter|\w+Dict|Mutable\w+|Weak\w+)\b")
_OURS = "otel_agents"


def modules() -> list[ModuleType]:
    """Return all modules of all distributions whose foreign packages are installed."""
    roots = [importlib.import_module(f"{_OURS}.{name}") for name in _PACKAGES]
    found = list(roots)
    for root in roots:
        for info in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            if info.name.endswith(".__main__"):
                continue
            try:
                found.append(importlib.import_module(info.name))
            except ModuleNotFoundError as error:
                if (error.name or _OURS).startswith(_OURS):
                    raise
    return found


def is_renewed(thing: object) -> bool:
    """Return whether a forked child calls a method of ``thing``."""
    renewals = (find() for find in list(vars(forking)["_renewers"].values()))
    return any(getattr(renewal, "__self__", None) is thing for renewal in renewals)


def findings(walked: Iterable[ModuleType]) -> list[str]:
    """Return what in ``walked`` is unbounded, or would be inherited by a forked child."""
    registries = (vars(forking)["_renewers"], vars(forking)["_unhooked"])
    walk = _Walk(seen={id(registry) for registry in registries})
    for module in walked:
        for name, value in list(vars(module).items()):
            if not (_is_pythons(name) or _is_foreign(value)):
                walk.visit(value, f"{module.__name__}.{name}", None)
    return walk.findings


def locks() -> list[tuple[object, str]]:
    """Return each of our live objects that has a lock, with its attribute."""
    ours = [thing for thing in gc.get_objects() if _is_ours(type(thing))]
    return [
        (thing, name)
        for thing in ours
        for name, value in {**getattr(thing, "__dict__", {}), **_slots(thing)}.items()
        if isinstance(value, LOCKS)
    ]


class _Walk:
    """Walks from the attributes of modules to what they hold, each object once."""

    def __init__(self, seen: set[int]) -> None:
        self.findings: list[str] = []
        self._seen = seen
        self._held: list[object] = []
        """Keeps what was seen alive, so that its id is not reused."""

    def visit(self, value: Any, path: str, owner: object) -> None:
        """Check ``value``, an attribute of ``owner``, and what it holds."""
        if id(value) in self._seen or isinstance(value, ModuleType):
            return
        self._seen.add(id(value))
        self._held.append(value)
        finding = _finding(value, owner)
        if finding is not None:
            self.findings.append(f"{path} is {finding}")
            return
        for step, held in _held_by(value):
            self.visit(held, f"{path}{step}", value)


def _finding(value: Any, owner: object) -> str | None:
    renewed = is_renewed(value)
    if isinstance(value, (*_GROUND, *_CONSTANT)):
        return None
    kind = type(value).__name__
    if hasattr(value, "cache_parameters"):
        unbounded = value.cache_parameters()["maxsize"] is None
        return "a cache without a size: functools.lru_cache(maxsize=…)" if unbounded else None
    if isinstance(value, WAITING):
        if owner is not None and is_renewed(owner):
            return None
        return f"a {kind} that a forked child inherits: use forking.Lock, or renew_after_fork"
    if isinstance(value, _GROWING):
        bounded = value.maxlen is not None if isinstance(value, deque) else isinstance(value, _WEAK)
        if not bounded:
            return f"a {kind} without a bound: use a table of _core.tables, or MappingProxyType"
        if not renewed:
            return f"a {kind} that a forked child inherits: renew_after_fork(TABLE.clear)"
    return None


def _held_by(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what ``value`` holds, and the path to it."""
    if isinstance(value, _CONSTANT):
        constant = cast("Mapping[Any, Any]", value)
        yield from ((f"[{key!r}]", one) for key, one in constant.items())
    elif isinstance(value, (*_GROUND, *_GROWING, *WAITING, Enum)):
        return
    elif isinstance(value, (tuple, frozenset)):
        held = cast("Iterable[Any]", value)
        yield from ((f"[{index}]", one) for index, one in enumerate(held))
    elif isinstance(value, (staticmethod, classmethod, types.MethodType)):
        bound = cast(Any, value)
        yield ".__func__", bound.__func__
        yield ".__self__", getattr(bound, "__self__", None)
    elif isinstance(value, partial):
        yield from ((".func", value.func), (".args", value.args))
        yield from ((f".keywords[{key!r}]", one) for key, one in value.keywords.items())
    elif not _is_ours(value):
        return
    elif isinstance(value, types.FunctionType):
        yield from _held_by_function(value)
    elif isinstance(value, type):
        yield from _attributes(vars(value), _names_of_pythons_own(value))
    elif hasattr(value, "__wrapped__"):
        yield ".__wrapped__", value.__wrapped__
    else:
        constant = _constant_fields(value)
        yield from _attributes(getattr(value, "__dict__", {}), constant)
        yield from _attributes(_slots(value), constant)


def _names_of_pythons_own(cls: type[Any]) -> tuple[str, ...]:
    """Return the tables that Python creates for an enumeration or a named tuple."""
    if issubclass(cls, Enum):
        return tuple(name for name in vars(cls) if name.startswith("_") and name.endswith("_"))
    return ("_field_defaults",) if hasattr(cls, "_fields") else ()


def _constant_fields(value: Any) -> tuple[str, ...]:
    """Return the fields of a frozen dataclass that are declared immutable."""
    if not dataclasses.is_dataclass(value) or not vars(type(value))["__dataclass_params__"].frozen:
        return ()
    fields = dataclasses.fields(value)
    return tuple(field.name for field in fields if not _CHANGEABLE.search(str(field.type)))


def _held_by_function(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    yield ".__defaults__", function.__defaults__
    yield from _attributes(function.__kwdefaults__ or {})
    yield from _attributes(vars(function))
    names = function.__code__.co_freevars
    for name, cell in zip(names, function.__closure__ or (), strict=True):
        try:
            yield f".<{name}>", cell.cell_contents
        except ValueError:  # not bound yet
            continue


def _attributes(names: Mapping[str, Any], left: Iterable[str] = ()) -> Iterator[tuple[str, Any]]:
    for name, value in list(names.items()):
        if not _is_pythons(name) and name not in left:
            yield f".{name}", value


def _slots(value: object) -> dict[str, Any]:
    slots = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
    return {name: getattr(value, name) for name in slots if hasattr(value, name)}


def _is_ours(value: Any) -> bool:
    home = value if isinstance(value, (type, types.FunctionType)) else type(value)
    return str(getattr(home, "__module__", "")).startswith(_OURS) or hasattr(value, "__wrapped__")


def _is_foreign(value: Any) -> bool:
    """Return whether it is a class or a function of another library."""
    home = getattr(value, "__module__", None)
    return home not in (None, type(value).__module__) and not str(home).startswith(_OURS)


def _is_pythons(name: str) -> bool:
    return (name.startswith("__") and name.endswith("__")) or name.startswith("_abc_")
