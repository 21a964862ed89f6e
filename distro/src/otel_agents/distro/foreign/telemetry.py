"""The pass over what is exported: the scope first, then what the span or record shows."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace import ReadableSpan

from otel_agents.distro.foreign.names import Looked, Unshown, kinds_of, vocabularies_shown_by
from otel_agents.distro.foreign.passage import Passage
from otel_agents.distro.foreign.records import names_of, passed_record
from otel_agents.distro.foreign.repairs import Repairs
from otel_agents.distro.foreign.spans import names_in, parts_of, passed, shows_nothing, span_of
from otel_agents.distro.notices import warn
from otel_agents.instrumentors import hosting
from otel_agents.instrumentors.settings import Prefer, Settings
from otel_agents.semconv.foreign import (
    OURS,
    SCOPES_WITHOUT_CONTENT,
    Scope,
    Vocabulary,
    scope_named,
)

if TYPE_CHECKING:
    from otel_agents.instrumentors.hosting import ForeignContent

__all__ = ["ForeignTelemetry"]

_ALL: Final = "*"
_MOST_LINES: Final = 8
_NOTICE: Final = (
    "spans or events of the scope %r hold prompts or other content, which was removed; to keep it, "
    "set OTEL_AGENTS_FOREIGN_CONTENT=%s, or enable content capture"
)


class ForeignTelemetry:
    """Applies the content settings to other scopes' spans and log records, and repairs them.

        foreign = ForeignTelemetry(Settings.read())
        queue.put(foreign.span(span))

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._passes = Looked(self._pass_of)
        self._lines = 0

    def span(self, span: ReadableSpan) -> ReadableSpan:
        """Return ``span`` as it may leave the process; itself if nothing changes."""
        name = getattr(span.instrumentation_scope, "name", None)
        # A name of another type cannot be encoded, so its item is dropped when it is sent.
        found = self._passes[name] if isinstance(name, str) else None
        return span if found is None else found.span(span)

    def record(self, record: Any, scope: Any) -> Any:
        """Return a log record as it may leave the process; itself if nothing changes."""
        name = getattr(scope, "name", None)
        found = self._passes[name] if isinstance(name, str) else None
        return record if found is None else found.record(record)

    def _pass_of(self, name: str) -> _Pass | None:
        if name.startswith(OURS) or name in SCOPES_WITHOUT_CONTENT or hosting.is_gated(name):
            return None
        scope = scope_named(name)
        if scope is not None:
            return _KnownPass(self, scope)
        return _UnknownPass(self, name, bool({_ALL, name} & {*self._settings.foreign_content}))

    def content(self, *, on_event: bool, kept: bool) -> ForeignContent | None:
        """Return what bounds the content; None if none may leave."""
        capture = self._settings.capture
        passes = kept or (capture.on_event if on_event else capture.on_span)
        return self._content if passes else None

    @cached_property
    def _content(self) -> ForeignContent:
        return hosting.foreign_content(self._settings)

    @property
    def repairs(self) -> bool:
        """Whether what differs from the conventions is repaired."""
        return self._settings.prefer is Prefer.OURS

    def removed(self, name: str) -> None:
        """Log that content of an unknown scope was removed."""
        self._lines += 1
        if self._lines <= _MOST_LINES:
            warn(_NOTICE, name, name)


class _Pass:
    """The pass over the telemetry of one scope."""

    def __init__(self, foreign: ForeignTelemetry, kept: bool = False) -> None:
        self._foreign = foreign
        self._kept = kept

    @abstractmethod
    def span(self, span: ReadableSpan) -> ReadableSpan:
        """Return ``span`` as it may leave the process."""

    @abstractmethod
    def record(self, record: Any) -> Any:
        """Return ``record`` as it may leave the process."""

    def passage(self, vocabularies: frozenset[Vocabulary], *, on_event: bool) -> Passage:
        """Return what removes or bounds the content of one span or record."""
        content = self._foreign.content(on_event=on_event, kept=self._kept)
        return Passage(kinds_of(vocabularies), content)


class _KnownPass(_Pass):
    """That of a known library, whose vocabularies and faults are known.

    Another instrumentation may add attributes of its own vocabulary to the library's span.
    """

    def __init__(self, foreign: ForeignTelemetry, scope: Scope) -> None:
        super().__init__(foreign)
        self._vocabularies = frozenset(scope.vocabularies)
        self._name_ends = scope.name_ends
        repair = scope.repair if foreign.repairs else None
        self._repairs = None if repair is None else Repairs(repair)

    def span(self, span: ReadableSpan) -> ReadableSpan:
        before = parts_of(span)
        added = vocabularies_shown_by(before.attributes)
        passage = self.passage(self._vocabularies | added, on_event=False)
        parts = passed(before, passage)
        if passage.is_closed:
            end = next((end for end in self._name_ends if parts.name.endswith(end)), None)
            parts = parts if end is None else parts._replace(name=end.lstrip("."))
        if self._repairs is not None:
            parts = self._repairs.parts(parts)
        return span_of(span, before, parts)

    def record(self, record: Any) -> Any:
        made = passed_record(record, self.passage(self._vocabularies, on_event=True))
        return made if self._repairs is None else self._repairs.record(made)


class _UnknownPass(_Pass):
    """That of an application, or of a library that is not known: mostly no GenAI telemetry."""

    def __init__(self, foreign: ForeignTelemetry, name: str, kept: bool) -> None:
        super().__init__(foreign, kept)
        self._name = name
        self._is_logged = kept
        self._unshown = Unshown()

    def span(self, span: ReadableSpan) -> ReadableSpan:
        if shows_nothing(span, self._unshown):
            return span
        before = parts_of(span)
        names = names_in(before.events, before.links)
        shown = vocabularies_shown_by((*before.attributes, *names))
        passage = self.passage(shown, on_event=False)
        made = span_of(span, before, passed(before, passage))
        self._report(passage)
        return made

    def record(self, record: Any) -> Any:
        names = names_of(record)
        if self._unshown.has(names):
            return record
        passage = self.passage(vocabularies_shown_by(names), on_event=True)
        made = passed_record(record, passage)
        self._report(passage)
        return made

    def _report(self, passage: Passage) -> None:
        if passage.removed and not self._is_logged:
            self._is_logged = True
            self._foreign.removed(self._name)
