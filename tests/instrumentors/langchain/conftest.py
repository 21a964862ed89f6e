"""LangChain and LangGraph in front of the scripted model."""

from __future__ import annotations

from framework_fixtures import lasting_loop, pytest_itemcollected, pytest_unconfigure

__all__ = ["lasting_loop", "pytest_itemcollected", "pytest_unconfigure"]
