"""The guard: what of ours fails stays here, what of others fails stays there, each said once."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator

import pytest
from forked import in_a_forked_child

from otel_agents.instrumentors import hosting
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors.hosting import attempt, guarded

DOING = "taking a span"


class Mute(logging.Handler):
    """A handler of the application's that raises, as some that send over the network do."""

    def emit(self, record: logging.LogRecord) -> None:
        raise ConnectionError


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests, from the first error on."""
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


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [it.getMessage() for it in caplog.records if it.levelno == logging.WARNING]


def test_the_caller_gets_what_it_can_use_and_the_line_comes_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = guarded(DOING, True)(failing(LookupError("a planted secret")))
    assert [guard() for _ in range(3)] == [True, True, True]
    assert errors.counts == {DOING: 3}
    (line,) = said(caplog)
    assert line.startswith(f"otel-agents failed while {DOING} (LookupError at test_errors.py:")
    assert "secret" not in caplog.text.partition("Traceback")[0]


def test_an_asynchronous_function_is_guarded_and_stays_one() -> None:
    guard = guarded(DOING, "otherwise")(afailing)
    assert inspect.iscoroutinefunction(guard)
    assert asyncio.run(guard()) == "otherwise"


def test_what_does_not_fail_returns_and_is_inspected_as_before() -> None:
    def take(span: str, *, late: bool = False) -> tuple[str, bool]:
        """Take a span."""
        return span, late

    guard = guarded(DOING)(take)
    assert guard("a", late=True) == ("a", True)
    assert inspect.signature(guard) == inspect.signature(take)
    assert guard.__doc__ == take.__doc__


@pytest.mark.parametrize("exit_", [SystemExit(1), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_an_exit_passes_but_on_a_thread_of_ours(exit_: BaseException) -> None:
    """In others it may be the application's, which its signal handler raised."""
    with pytest.raises(type(exit_)):
        guarded(DOING)(failing(exit_))()
    with pytest.raises(type(exit_)):
        attempt(DOING, failing(exit_), "")
    assert guarded(DOING, "on", everything=True)(failing(exit_))() == "on"
    assert attempt(DOING, failing(exit_), "on", everything=True) == "on"


def test_the_code_of_others_is_said_once_and_no_error_of_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert [attempt(DOING, failing(LookupError("a planted secret")), "") for _ in range(3)] == [
        *("", "", "")
    ]
    assert attempt(DOING, lambda: "done", "") == "done"
    (line,) = said(caplog)
    assert line.startswith(f"otel-agents: {DOING} failed in foreign code (LookupError at ")
    assert "secret" not in caplog.text
    assert (errors.counts, errors.foreign) == ({}, {DOING: 3})


def test_in_tests_only_ours_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "strict", True)
    with pytest.raises(LookupError):
        guarded(DOING)(failing(LookupError()))()
    assert attempt(DOING, failing(LookupError()), "on") == "on"


@pytest.mark.usefixtures("mute")
def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    assert guarded(DOING, "on")(failing(LookupError()))() == "on"
    assert attempt(DOING, failing(LookupError()), "on") == "on"
    hosting.warn("a line")
    assert errors.counts == {DOING: 1}


def test_a_forked_child_counts_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its parent counted is its parent's to tell."""
    monkeypatch.undo()  # what is cleared are the counts that are there from the start
    monkeypatch.setattr(errors, "strict", False)
    before = dict(errors.counts), dict(errors.foreign)
    guarded(DOING)(failing(LookupError()))()
    attempt("theirs", failing(LookupError()), "")

    def child() -> object:
        inherited = dict(errors.counts), dict(errors.foreign)
        guarded(DOING)(failing(LookupError()))()
        return *inherited, dict(errors.counts)

    try:
        assert in_a_forked_child(child) == f"({{}}, {{}}, {{{DOING!r}: 1}})"
    finally:
        for counts, kept in zip((errors.counts, errors.foreign), before, strict=True):
            counts.clear()
            counts.update(kept)
