"""Requests that fail: the same exception for the caller, one span, a type and no text."""

from __future__ import annotations

from error_laws import ErrorLaws


class TestErrors(ErrorLaws):
    """The laws; the SDK has no errors of its own."""
