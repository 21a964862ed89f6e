"""Programs of libraries that trace themselves, in front of the scripted model."""

from __future__ import annotations

from framework_fixtures import pytest_itemcollected, pytest_unconfigure

__all__ = ["pytest_itemcollected", "pytest_unconfigure"]
