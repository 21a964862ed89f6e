"""The attributes of a span, set at its end: on the hot path of every operation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from types import MethodType
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.trace import Span

__all__ = ["own_method", "set_attributes"]

_SCALARS: Final = frozenset({bool, float, int, str})
_TEXT: Final = frozenset({str})
_ARRAY: Final[Any] = tuple
_FIELDS: Final = frozenset({"_attributes", "_end_time"})
"""The fields of a span that its method uses, and we do."""
_STORE: Final[Any] = BoundedAttributes
"""What a span of the SDK keeps its attributes in."""


def set_attributes(span: Span, attributes: dict[str, Any]) -> None:
    """Set attributes on a span, as its method of this name does.

    opentelemetry-sdk asks for each value whether it is a sequence or a mapping, and stores each by
    itself, which takes a quarter of what a model call adds. Where that changes nothing, all are
    stored at once: the span is the SDK's own and has not ended, nobody has replaced its method, no
    limit applies, and keys and values are of the types that it stores as they are.
    """
    # One function: within a request, a call of another one takes as long as what it does.
    method: Any = span.set_attributes
    if type(method) is not MethodType or method.__func__ is not own_method(type(span)):
        return method(attributes)
    for value in attributes.values():
        if type(value) not in _SCALARS and not (
            type(value) is _ARRAY and _TEXT.issuperset(map(type, value))
        ):
            return method(attributes)
    sdk_span: Any = span
    kept: Any = sdk_span._attributes
    if (
        type(kept) is _STORE
        and kept.max_value_len is None
        and _TEXT.issuperset(map(type, attributes))
        and "" not in attributes
    ):
        stored, most = kept._dict, kept.maxlen
        has_room = most is None or len(stored) + len(attributes) <= most
        if has_room and sdk_span._end_time is None:
            return stored.update(attributes)  # without their locks: it is one step
    return method(attributes)


@lru_cache(maxsize=8)
def own_method(kind: type[Span]) -> Callable[..., None] | None:
    """Return the SDK's method if this is its class of spans, and is built as we know it."""
    sdk = sys.modules.get("opentelemetry.sdk.trace")
    if sdk is None or kind is not getattr(sdk, "_Span", None):
        return None
    method: Any = kind.set_attributes
    # A function that has replaced the method, perhaps to redact, is of another module.
    if getattr(method, "__globals__", None) is not vars(sdk):
        return None
    kept = vars(BoundedAttributes(attributes={"key": 1}))
    is_known = kept.get("_dict") == {"key": 1} and {"maxlen", "max_value_len"} <= {*kept}
    return method if is_known and {*method.__code__.co_names} >= _FIELDS else None
