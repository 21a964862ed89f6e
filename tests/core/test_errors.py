"""The guard: internal errors and failures of foreign code are kept apart, each logged once."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator

import pytest
from forked import in_a_forked_child

from otel_agents.instrumentors import hosting
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors.hosting import call_foreign, guarded

ACTION = "taking a span"


class Mute(logging.Handler):
    """An application's handler that raises, as some that send over the network do."""

    def emit(self, record: logging.LogRecord) -> None:
        raise ConnectionError


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests: errors are logged, from the first one on."""
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())


@pytest.fixture
def mute() -> Iterator[None]:
    """The log cannot be written."""
    log, handler = logging.getLogger("otel_agents"), Mute()
    log.addHandler(handler)
    yield
    log.removeHandler(handler)


def failing(error: BaseException) -> Callable[[], str]:
    def fail() -> str:
        raise error

    return fail


async def afailing() -> str:
    await asyncio.sleep(0)
    raise LookupError("a planted secret")


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [it.getMessage() for it in caplog.records if it.levelno == logging.WARNING]


def test_the_caller_gets_the_default_and_the_error_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = guarded(ACTION, True)(failing(LookupError("a planted secret")))
    assert [guard() for _ in range(3)] == [True, True, True]
    assert errors.counts == {ACTION: 3}
    (line,) = logged(caplog)
    assert line.startswith(f"otel-agents failed while {ACTION} (LookupError at test_errors.py:")
    assert "secret" not in caplog.text.partition("Traceback")[0]


def test_an_asynchronous_function_is_guarded_and_stays_one() -> None:
    guard = guarded(ACTION, "otherwise")(afailing)
    assert inspect.iscoroutinefunction(guard)
    assert asyncio.run(guard()) == "otherwise"


def test_a_function_that_does_not_fail_returns_and_inspects_as_before() -> None:
    def take(span: str, *, late: bool = False) -> tuple[str, bool]:
        """Take a span."""
        return span, late

    guard = guarded(ACTION)(take)
    assert guard("a", late=True) == ("a", True)
    assert inspect.signature(guard) == inspect.signature(take)
    assert guard.__doc__ == take.__doc__


@pytest.mark.parametrize("exit_", [SystemExit(1), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_system_exit_passes_except_on_our_threads(exit_: BaseException) -> None:
    """In others it may come from the application's signal handler."""
    with pytest.raises(type(exit_)):
        guarded(ACTION)(failing(exit_))()
    with pytest.raises(type(exit_)):
        call_foreign(ACTION, failing(exit_), "")
    assert guarded(ACTION, "on", everything=True)(failing(exit_))() == "on"
    assert call_foreign(ACTION, failing(exit_), "on", everything=True) == "on"


def test_a_failure_of_foreign_code_is_logged_once_and_is_no_internal_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert [
        call_foreign(ACTION, failing(LookupError("a planted secret")), "") for _ in range(3)
    ] == [*("", "", "")]
    assert call_foreign(ACTION, lambda: "done", "") == "done"
    (line,) = logged(caplog)
    assert line.startswith(f"otel-agents: {ACTION} failed in foreign code (LookupError at ")
    assert "secret" not in caplog.text
    assert (errors.counts, errors.foreign) == ({}, {ACTION: 3})


def test_in_tests_only_ours_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "strict", True)
    with pytest.raises(LookupError):
        guarded(ACTION)(failing(LookupError()))()
    assert call_foreign(ACTION, failing(LookupError()), "on") == "on"


@pytest.mark.usefixtures("mute")
def test_a_failing_log_handler_stops_nothing() -> None:
    assert guarded(ACTION, "on")(failing(LookupError()))() == "on"
    assert call_foreign(ACTION, failing(LookupError()), "on") == "on"
    hosting.warn("a line")
    assert errors.counts == {ACTION: 1}


def test_a_forked_child_counts_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent reports what it counted."""
    monkeypatch.undo()  # the counts of the module are cleared
    monkeypatch.setattr(errors, "strict", False)
    before = dict(errors.counts), dict(errors.foreign)
    guarded(ACTION)(failing(LookupError()))()
    call_foreign("theirs", failing(LookupError()), "")

    def child() -> object:
        inherited = dict(errors.counts), dict(errors.foreign)
        guarded(ACTION)(failing(LookupError()))()
        return *inherited, dict(errors.counts)

    try:
        assert in_a_forked_child(child) == f"({{}}, {{}}, {{{ACTION!r}: 1}})"
    finally:
        for counts, kept in zip((errors.counts, errors.foreign), before, strict=True):
            counts.clear()
            counts.update(kept)
