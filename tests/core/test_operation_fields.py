"""A field of a subclass never takes the place of one that a base has."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from otel_agents import instrumentors
from otel_agents.instrumentors import Operation


def fields_of(kind: type[Any]) -> set[str]:
    """Return the names in the slots of the class itself."""
    slots = vars(kind).get("__slots__", ())
    return {slots} if isinstance(slots, str) else set(slots)


def shadowed(kind: type[Any]) -> set[str]:
    """Return the fields of a class that a base has, too."""
    return fields_of(kind) & {name for base in kind.__mro__[1:] for name in fields_of(base)}


def operation_classes() -> Iterator[type[Any]]:
    """Yield the operation classes of every module that this environment can import."""
    for module in pkgutil.walk_packages(instrumentors.__path__, f"{instrumentors.__name__}."):
        try:
            importlib.import_module(module.name)
        except ImportError:  # its library is not installed here
            continue
    waiting: list[type[Any]] = [Operation]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        yield kind


def test_no_operation_stores_its_own_value_in_a_field_of_its_base() -> None:
    assert {kind: names for kind in operation_classes() if (names := shadowed(kind))} == {}


def test_the_check_finds_a_field_of_a_base() -> None:
    class Base:
        __slots__ = ("_held",)

    class Shadowing(Base):
        __slots__ = ("_held", "_other")

    assert shadowed(Shadowing) == {"_held"}
