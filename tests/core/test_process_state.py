"""Law 9: what lives as long as the process is bounded and correct in a forked child."""

from __future__ import annotations

import functools
import os
import queue
import subprocess
import sys
import textwrap
import threading
import weakref
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType
from typing import Any

import pytest
from opentelemetry.context import Context
from process_state import findings, modules

from otel_agents.instrumentors._core.forking import Lock, renew_after_fork
from otel_agents.instrumentors._core.tables import Bounded, ByObject, Counts

TOY = "otel_agents.toy"


WALKING = """
    import process_state
    modules = process_state.modules()
    print(*[module.__name__ for module in modules])
    print(*process_state.findings(modules), sep="\\n")
"""


def test_everything_is_bounded_and_correct_in_a_forked_child() -> None:
    """In a process in which nothing has run yet."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(WALKING)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    walked, *reported = filter(None, ran.stdout.splitlines())
    expected = {found.module for found in entry_points(group="opentelemetry_instrumentor")}
    expected = {name for name in expected if name.startswith("otel_agents.")}
    expected |= {"otel_agents.distro.ending.lifecycle", "otel_agents.testing.plugin"}
    assert expected <= {*walked.split()}
    assert reported == []


class Holder:
    """In a module: its attributes live as long."""

    __module__ = TOY

    def __init__(self, held: object) -> None:
        self.held = held


class Slotted:
    __module__ = TOY
    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held


class Renewed(Holder):
    __module__ = TOY

    def __init__(self, held: object) -> None:
        super().__init__(held)
        renew_after_fork(self.renew)

    def renew(self) -> None: ...


@dataclass(frozen=True)
class Row:
    constant: Mapping[str, int] = field(default_factory=dict[str, int])
    table: dict[str, int] | None = None


Row.__module__ = TOY


def of_ours(function: Any) -> Any:
    function.__module__ = TOY
    return function


def closing_over(held: object) -> Any:
    def function() -> object:
        return held

    return of_ours(function)


def with_default(held: object) -> Any:
    def function(held: object = held) -> object:
        return held

    return of_ours(function)


def with_keyword(held: object) -> Any:
    def function(*, held: object = held) -> object:
        return held

    return of_ours(function)


def with_attribute(held: object) -> Any:
    function: Any = closing_over(None)
    function.held = held
    return function


def with_class_attribute(held: object) -> Any:
    return type("Class", (), {"held": held, "__module__": TOY})


FINDINGS: dict[str, tuple[Any, str]] = {
    "a dict": ({}, "table is a dict without a bound"),
    "a list": ([], "table is a list without a bound"),
    "of a context": (Context({"a": []}), "table['a'] is a list without a bound"),
    "a set": (set(), "table is a set without a bound"),
    "a counter": (Counter(), "table is a Counter without a bound"),
    "a deque": (deque(), "table is a deque without a bound"),
    "a cache": (functools.cache(closing_over(None)), "table is a cache without a size"),
    "a cache of a method": (
        with_class_attribute(functools.cache(closing_over(None))),
        "table.held is a cache without a size",
    ),
    "a deque of a length": (deque(maxlen=1), "table is a deque that a forked child inherits"),
    "a weak table": (
        weakref.WeakValueDictionary[int, Any](),
        "table is a WeakValueDictionary that a forked child inherits",
    ),
    "a lock": (threading.Lock(), "table is a lock that a forked child inherits"),
    "a condition": (threading.Condition(), "table is a Condition that a forked child inherits"),
    "an event": (threading.Event(), "table is a Event that a forked child inherits"),
    "a queue": (queue.SimpleQueue(), "table is a SimpleQueue that a forked child inherits"),
    "in a constant": (MappingProxyType[str, Any]({"a": ({},)}), "table['a'][0] is a dict without"),
    "of a class": (with_class_attribute([]), "table.held is a list without a bound"),
    "of an instance": (Holder([]), "table.held is a list without a bound"),
    "of an instance with slots": (Slotted([]), "table.held is a list without a bound"),
    "of a renewed instance": (Renewed([]), "table.held is a list without a bound"),
    "a lock of an instance": (Holder(threading.Lock()), "table.held is a lock that a forked"),
    "further in": (Holder((Holder([]),)), "table.held[0].held is a list without a bound"),
    "of a constant instance": (Row(table={}), "table.table is a dict without a bound"),
    "in a closure": (closing_over([]), "table.<held> is a list without a bound"),
    "as a default": (with_default([]), "table.__defaults__[0] is a list without a bound"),
    "as a keyword's default": (with_keyword([]), "table.held is a list without a bound"),
    "of a function": (with_attribute([]), "table.held is a list without a bound"),
    "of a bound function": (functools.partial(print, []), "table.args[0] is a list without"),
    "of a wrapped function": (
        functools.lru_cache(maxsize=1)(closing_over([])),
        "table.__wrapped__.<held> is a list without a bound",
    ),
}


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_is_reported(finding: str) -> None:
    value, reported = FINDINGS[finding]
    (line,) = findings([module(value)])
    assert line.startswith(f"{TOY}.{reported}")


def test_correct_objects_pass() -> None:
    weak, last = weakref.WeakValueDictionary[int, Any](), deque[int](maxlen=2)
    renew_after_fork(weak.clear)
    renew_after_fork(last.clear)
    held = (
        *(Bounded[int, Any](2), ByObject[Any, Any](), Counts(), Lock(), weak, last),
        *(
            MappingProxyType({"a": ("b", frozenset("c"))}),
            Context({"a": "b"}),
            functools.lru_cache(maxsize=2)(print),
        ),
        *(Renewed(threading.Condition()), Row(constant={"a": 1}), Holder(Holder(None))),
    )
    assert findings([module(held)]) == []


def test_a_broken_import_of_our_module_is_not_a_missing_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The walk would skip it for ever."""

    def importing(name: str) -> ModuleType:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr("importlib.import_module", importing)
    with pytest.raises(ModuleNotFoundError):
        modules()


def module(table: object) -> ModuleType:
    """One of our modules with ``table``."""
    toy = ModuleType(TOY)
    vars(toy)["table"] = table
    return toy
