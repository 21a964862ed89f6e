"""A process of tests ends although a test left a thread that does not."""

from __future__ import annotations

from pathlib import Path

import pytest

LEAVING = """
import threading

def test_it() -> None:
    threading.Thread(target=threading.Event().wait).start()
"""


def test_a_thread_that_never_ends(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeconftest("import lasting_threads\nlasting_threads.EXIT_TIMEOUT = 1.0\n")
    pytester.makepyfile(LEAVING)
    result = pytester.runpytest_subprocess("-p", "lasting_threads", timeout=60)
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stderr.fnmatch_lines(["Timeout*", "Thread *", "*in wait"])
