"""Lets LiteLLM's Rust core serve what it can."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

__all__ = ["served_by_rust"]


def served_by_rust(monkeypatch: pytest.MonkeyPatch, *routes: str) -> list[str]:
    """Let the core serve ``routes``; the result lists the types of what it served, as it serves."""
    catalog: Any = importlib.import_module("litellm.rust_bridge.catalog")
    runtime: Any = importlib.import_module("litellm.rust_bridge.runtime")
    mark = runtime.mark_rust_response
    served: list[str] = []

    def marking(value: Any) -> Any:
        served.append(type(value).__name__)
        return mark(value)

    rules = tuple(
        catalog.RouteRule(getattr(catalog.Route, route), catalog.Rollout.RUST_OPT_OUT)
        for route in routes
    )
    monkeypatch.setattr(catalog, "RULES", rules)
    monkeypatch.setattr(runtime, "mark_rust_response", marking)
    return served
