"""The content of one span or log record, as far as it may leave the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.distro.foreign.names import Kinds
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.foreign import EVENT_FIELDS, OTHER

if TYPE_CHECKING:
    from otel_agents.instrumentors.hosting import ForeignContent

__all__ = ["Passage"]

_BODY: Final = "body"
_MESSAGE: Final = "message"


class Passage:
    """Removes the content of one span or record, or bounds it.

    Args:
        kinds: The kinds of content by the names of attributes.
        content: Redacts and bounds it; None if none may leave.
    """

    __slots__ = ("_content", "_room", "_truncated", "kinds", "removed")

    def __init__(self, kinds: Kinds, content: ForeignContent | None) -> None:
        self.kinds = kinds
        self._content = content
        self._room = 0 if content is None else content.span_limit
        self._truncated: dict[str, int] = {}
        self.removed = False
        """Whether content was removed because none may leave."""

    @property
    def is_closed(self) -> bool:
        """Whether no content may leave."""
        return self._content is None

    def attributes(self, attributes: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return ``attributes`` as they may leave; the same object if nothing changes."""
        return self._mapped(attributes, self.kinds.__getitem__) if attributes else attributes

    def event(self, name: str, attributes: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return the attributes of an event as they may leave."""
        if not attributes or name not in self.kinds.events:
            return self.attributes(attributes)
        return self._mapped(attributes, self._kind_of_field)

    def _kind_of_field(self, name: str) -> str | None:
        """Return the kind of an attribute of an event that consists of content."""
        kind = self.kinds[name]
        if kind is not None or name in EVENT_FIELDS or name.startswith("gen_ai."):
            return kind
        return OTHER

    def body(self, body: Any) -> Any:
        """Return the body of a record that consists of content."""
        if body is None:
            return None
        if self._content is not None:
            return self._fitted(OTHER, _BODY, body)
        self.removed = True
        return _skeleton(cast("Mapping[str, Any]", body)) if isinstance(body, Mapping) else None

    def text(self, kind: str, text: str) -> str | None:
        """Return a text outside of attributes."""
        return self._fitted(kind, kind, text)

    def _mapped(self, attributes: Mapping[str, Any], kind_of: Any) -> Mapping[str, Any]:
        if not any(map(kind_of, attributes)):
            return attributes
        passed: dict[str, Any] = {}
        changed = False
        for name, value in attributes.items():
            kind: str | None = kind_of(name)
            fitted = value if kind is None else self._fitted(kind, name, value)
            changed = changed or fitted is not value
            if fitted is not None:
                passed[name] = fitted
        return passed if changed else attributes

    def _fitted(self, kind: str, name: str, value: Any) -> Any:
        if value is None:
            return None
        if self._content is None:
            self.removed = True
            return None
        fitting = self._content.fit(kind, value, self._room)
        if fitting is None:
            return None
        self._room -= fitting.size
        if fitting.original_bytes is not None:
            self._truncated[name] = self._truncated.get(name, 0) + fitting.original_bytes
        return fitting.value

    def marks(self) -> dict[str, Any]:
        """Return the attributes that list what was truncated."""
        if not self._truncated:
            return {}
        return {
            attr.OTEL_AGENTS_CONTENT_TRUNCATED: tuple(self._truncated),
            attr.OTEL_AGENTS_CONTENT_ORIGINAL_BYTES: sum(self._truncated.values()),
        }


def _skeleton(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a message holds apart from content."""
    kept = {name: value for name, value in body.items() if name in EVENT_FIELDS}
    message = body.get(_MESSAGE)
    if isinstance(message, Mapping):
        kept[_MESSAGE] = _skeleton(cast("Mapping[str, Any]", message))
    return kept
