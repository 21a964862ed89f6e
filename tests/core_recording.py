"""An observer that records what is reported to it, for tests of the core."""

from __future__ import annotations

import gc
from typing import Any

from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls import finalization

MARK = create_key("test-mark")


class Recorded:
    """A `CallObserver` that records every report, and can raise at one of them."""

    def __init__(self, breaks_at: str | None = None, hides: object = None) -> None:
        self.context: Context = set_value(MARK, self, get_current())
        self.reports: list[Any] = []
        self._breaks_at = breaks_at
        self._hides = hides

    def _report(self, name: str, *values: Any) -> None:
        self.reports.append((name, *values))
        if name == self._breaks_at:
            raise RuntimeError(f"broken at {name}")

    def returned(self, value: Any) -> Any:
        self._report("returned", value)
        return value

    def chunk(self, item: Any) -> object:
        self._report("chunk", item)
        return self._hides

    def exhausted(self, value: Any) -> None:
        self._report("exhausted", value)

    def abandoned(self) -> None:
        self._report("abandoned")

    def failed(self, error: BaseException) -> None:
        self._report("failed", type(error).__name__)

    def end(self) -> None:
        self._report("end")


class Answering(Recorded):
    """A model call that also records the responses that it sees."""

    def respond(self, value: Any) -> None:
        self._report("respond", value)

    def observe(self, value: Any) -> None:
        self._report("observe", value)


def current_mark() -> Any:
    """Return the operation whose context is current, None outside of any."""
    return get_value(MARK)


def settle() -> None:
    """Wait until everything that was dropped has been finalized."""
    gc.collect()
    assert finalization.drain(5)
