"""A pytest plugin: every declared gap in conformance must be needed by some test."""

from __future__ import annotations

import pytest

from otel_agents.semconv.conformance import GAPS, used_gaps


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--require-all-gaps``, for a run of the whole suite on the newest versions."""
    parser.addoption("--require-all-gaps", action="store_true")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a complete run in which a declared gap was never needed."""
    if not session.config.getoption("--require-all-gaps") or exitstatus:
        return
    unused = [gap for gap in GAPS if gap not in used_gaps()]
    for gap in unused:
        print(f"\nunused gap: {gap.type}: {', '.join(gap.attributes)} ({gap.reason})")  # noqa: T201
    if unused:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
