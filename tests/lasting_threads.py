"""A pytest plugin: a process of tests ends, also where a test left a thread that never does."""

from __future__ import annotations

import faulthandler

import pytest

EXIT_TIMEOUT = 120.0
"""Seconds from the last test to the end of the process."""


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Print the stacks of all threads and fail if the process is there after the timeout.

    The interpreter waits for each thread that is no daemon, without a limit.
    """
    faulthandler.dump_traceback_later(EXIT_TIMEOUT, exit=True)
