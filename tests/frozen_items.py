"""A pytest plugin: the garbage collector leaves out what was there before the first test.

That is most of what there is, thousands of tests and all modules: a test that collects would wait for it.
"""

from __future__ import annotations

import gc
import warnings

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart() -> None:
    """Freeze what is there, and again after a test that has undone it."""
    if not gc.get_freeze_count():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what an earlier test left open
            gc.collect()
        gc.freeze()
