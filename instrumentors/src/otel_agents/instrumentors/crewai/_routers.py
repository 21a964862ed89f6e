"""Decisions of a flow's routers: labels that the flow declares, never anything else they return."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from crewai.flow.flow import Flow
    from crewai.flow.flow_definition import FlowMethodDefinition

__all__ = ["router_label"]

_CONDITIONS: Final = ("listen", "start", "emit")
"""The fields that hold labels, in the definition of a method and of its feedback."""


def router_label(flow: Flow[Any], method: str, returned: Any) -> str | None:
    """Return the label with which ``flow`` continues after ``method``; None if it is no router.

    Also None for a label that nothing declares and nothing listens to: it may be any text.
    """
    definitions = _definitions(flow)
    routers = _routers(flow) if definitions is None else _defined_routers(definitions)
    if returned is None or method not in routers:
        return None
    label = str(returned.value if isinstance(returned, Enum) else returned)
    return label if label in _known_labels(flow, definitions) else None


def _definitions(flow: Flow[Any]) -> Mapping[str, FlowMethodDefinition] | None:
    """Return the methods of the flow's definition; early versions have no definition."""
    return getattr(getattr(flow, "_definition", None), "methods", None)


def _defined_routers(definitions: Mapping[str, FlowMethodDefinition]) -> set[str]:
    return {name for name, method in definitions.items() if method.router}


def _routers(flow: Flow[Any]) -> set[str]:
    # Early versions have a set. The first ones have a mapping of methods to the routers after them.
    routers: Any = getattr(flow, "_routers", ())
    return set(routers.values()) if hasattr(routers, "values") else set(routers)


def _known_labels(
    flow: Flow[Any], definitions: Mapping[str, FlowMethodDefinition] | None
) -> Iterable[str]:
    if definitions is None:
        return _labels_in([getattr(flow, name, None) for name in ("_listeners", "_router_paths")])
    methods = [*definitions.values()]
    declaring = [*methods, *(getattr(method, "human_feedback", None) for method in methods)]
    return _labels_in([getattr(one, name, None) for one in declaring for name in _CONDITIONS])


def _labels_in(condition: Any) -> Iterator[str]:
    """Yield the texts in a condition of any depth: labels to listen to or to return."""
    if isinstance(condition, str):
        yield condition
    elif isinstance(condition, Mapping):
        yield from _labels_in(list(cast("Mapping[Any, Any]", condition).values()))
    elif isinstance(condition, (list, tuple, set)):
        for part in cast("Iterable[Any]", condition):
            yield from _labels_in(part)
