"""A span as it may leave the process: a new one, since the application's processors keep theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from otel_agents.distro.foreign.names import Unshown
from otel_agents.distro.foreign.passage import Passage

__all__ = ["Parts", "names_in", "parts_of", "passed", "shows_nothing", "span_of"]

_GEN_AI: Final = "gen_ai."
_MESSAGE: Final = "exception_message"


class Parts(NamedTuple):
    """What may change about a span."""

    name: str
    attributes: Mapping[str, Any]
    events: Sequence[Event]
    links: Sequence[Link]
    status: Status


class _ChangedSpan(ReadableSpan):
    """A span with other parts, which has dropped what the original has dropped."""

    def __init__(self, original: ReadableSpan, parts: Parts) -> None:
        super().__init__(
            name=parts.name,
            context=original.context,
            parent=original.parent,
            resource=original.resource,
            attributes=parts.attributes,
            events=parts.events,
            links=parts.links,
            kind=original.kind,
            status=parts.status,
            start_time=original.start_time,
            end_time=original.end_time,
            instrumentation_scope=original.instrumentation_scope,
        )
        self._dropped_attributes = original.dropped_attributes
        self._dropped_events = original.dropped_events
        self._dropped_links = original.dropped_links

    @property
    def dropped_attributes(self) -> int:
        """The number of attributes that the original has dropped."""
        return self._dropped_attributes

    @property
    def dropped_events(self) -> int:
        """The number of events that it has dropped."""
        return self._dropped_events

    @property
    def dropped_links(self) -> int:
        """The number of links that it has dropped."""
        return self._dropped_links


def names_in(events: Sequence[Event], links: Sequence[Link]) -> Iterator[str]:
    """Yield the names of events, and those of the attributes of events and links."""
    for event in events:
        yield event.name
        yield from event.attributes or ()
    for link in links:
        yield from link.attributes or ()


def shows_nothing(span: ReadableSpan, unshown: Unshown) -> bool:
    """Return whether no name in ``span`` shows GenAI telemetry, which holds for most spans.

    The public properties of the SDK's spans copy what they return, so its own are read; without a
    call for each of them, for this runs for every span.
    """
    known: Any = span
    if type(span) is not ReadableSpan:  # its properties may return something else
        attributes, events, links = known.attributes, known.events, known.links
    else:
        try:
            attributes, events, links = known._attributes, known._events, known._links
        except AttributeError:  # of another version
            attributes, events, links = known.attributes, known.events, known.links
    seen = unshown.names.issuperset
    names = getattr(attributes, "_dict", attributes) or ()
    if not (seen(names) or unshown.has(names)):
        return False
    for event in getattr(events, "_dq", events) or ():
        attributes = event.attributes
        names = getattr(attributes, "_dict", attributes) or ()
        name = event.name
        if not (name in unshown.names and seen(names)) and not unshown.has((name, *names)):
            return False
    for link in getattr(links, "_dq", links) or ():
        attributes = link.attributes
        names = getattr(attributes, "_dict", attributes) or ()
        if not (seen(names) or unshown.has(names)):
            return False
    return True


def parts_of(span: ReadableSpan) -> Parts:
    """Return the parts of a finished span."""
    return Parts(span.name, span.attributes or {}, span.events, span.links, span.status)


def passed(parts: Parts, passage: Passage) -> Parts:
    """Return ``parts`` as they may leave; the same objects where nothing changes."""
    attributes: Any = passage.attributes(parts.attributes)
    events = _same_or(parts.events, [_event(one, passage) for one in parts.events])
    links = _same_or(parts.links, [_link(one, passage) for one in parts.links])
    status = parts.status
    if status.description:
        text = passage.text(_MESSAGE, status.description)
        status = status if text == status.description else Status(status.status_code, text)
    marks = passage.marks()
    return Parts(
        parts.name, {**attributes, **marks} if marks else attributes, events, links, status
    )


def span_of(original: ReadableSpan, before: Parts, parts: Parts) -> ReadableSpan:
    """Return a span of ``parts``; the original if they are its own."""
    same = all(ours is theirs for ours, theirs in zip(parts, before, strict=True))
    return original if same else _ChangedSpan(original, parts)


def _same_or(before: Sequence[Any], after: list[Any]) -> Sequence[Any]:
    """Return ``before`` if ``after`` has the same items; else ``after`` without None."""
    if all(ours is theirs for ours, theirs in zip(after, before, strict=True)):
        return before
    return [one for one in after if one is not None]


def _event(event: Event, passage: Passage) -> Event | None:
    """Return the event as it may leave; None if it consisted of content alone."""
    attributes = passage.event(event.name, event.attributes)
    if attributes is event.attributes:
        return event
    if not attributes and (event.name.startswith(_GEN_AI) or event.name in passage.kinds.events):
        return None
    return Event(event.name, attributes, event.timestamp)


def _link(link: Link, passage: Passage) -> Link:
    attributes = passage.attributes(link.attributes)
    return link if attributes is link.attributes else Link(link.context, attributes)
