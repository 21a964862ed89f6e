"""What a router of a flow has decided: a label that the flow knows, never what else it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, cast

__all__ = ["chosen"]

_CONDITIONS: Final = ("listen", "start", "emit")
"""Where a method's definition, and that of its feedback, has labels."""


def chosen(flow: Any, method: str, returned: Any) -> str | None:
    """The label by which ``flow`` goes on after its method; None where that is no router.

    And where nothing declares the label or listens to it: it may be any text.
    """
    declared = _declared(flow)
    routers = _routers(flow) if declared is None else _routers_of(declared)
    if returned is None or method not in routers:
        return None
    label = str(returned.value if isinstance(returned, Enum) else returned)
    return label if label in _known(flow, declared) else None


def _declared(flow: Any) -> Mapping[str, Any] | None:
    """The methods as the flow's definition has them; early versions have no definition."""
    return getattr(getattr(flow, "_definition", None), "methods", None)


def _routers_of(declared: Mapping[str, Any]) -> set[str]:
    return {name for name, method in declared.items() if method.router}


def _routers(flow: Any) -> set[str]:
    """Early versions know a set of them; the first ones which method each comes after."""
    routers: Any = getattr(flow, "_routers", ())
    return set(routers.values()) if hasattr(routers, "values") else set(routers)


def _known(flow: Any, declared: Mapping[str, Any] | None) -> Iterable[str]:
    if declared is None:
        return _texts([getattr(flow, name, None) for name in ("_listeners", "_router_paths")])
    methods = [*declared.values()]
    asked = [*methods, *(getattr(method, "human_feedback", None) for method in methods)]
    return _texts([getattr(one, name, None) for one in asked for name in _CONDITIONS])


def _texts(condition: Any) -> Iterator[str]:
    """The texts in a condition of any depth: what is listened to, or may be returned."""
    if isinstance(condition, str):
        yield condition
    elif isinstance(condition, Mapping):
        yield from _texts(list(cast("Mapping[Any, Any]", condition).values()))
    elif isinstance(condition, (list, tuple, set)):
        for part in cast("Iterable[Any]", condition):
            yield from _texts(part)
