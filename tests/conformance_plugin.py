"""A pytest plugin: whatever a test emits must conform, and no declared gap may be unneeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_agents.semconv.conformance import GAPS, Finding, check, used_gaps


def findings_of(emission: Any) -> list[Finding]:
    """The findings of everything that an `Emission` has collected."""
    signals = [*emission.spans, *emission.metrics(), *emission.logs]
    return [finding for signal in signals for finding in check(signal)]


@pytest.fixture
def conforming() -> Callable[[Any], None]:
    """Fails the test that emitted something that does not conform."""

    def conform(emission: Any) -> None:
        findings = findings_of(emission)
        if findings:
            pytest.fail("\n".join(map(str, dict.fromkeys(findings))), pytrace=False)

    return conform


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--require-all-gaps``: for a run of the whole suite on the newest versions."""
    parser.addoption("--require-all-gaps", action="store_true")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a whole run in which a declared gap was never needed."""
    if not session.config.getoption("--require-all-gaps") or exitstatus:
        return
    unused = [gap for gap in GAPS if gap not in used_gaps()]
    for gap in unused:
        print(f"\nunused gap: {gap.type}: {', '.join(gap.attributes)} ({gap.reason})")  # noqa: T201
    if unused:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
