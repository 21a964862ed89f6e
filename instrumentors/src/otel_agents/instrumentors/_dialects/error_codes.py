"""The codes of errors that providers report. Any other text may be content."""

from __future__ import annotations

import re
from typing import Any, Final

from .fields import fields_of

__all__ = ["as_code", "code_in"]

_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,64}")
_ENVELOPE: Final = "error"
"""The type of Anthropic's object around an error."""


def as_code(value: object) -> str | None:
    """Return ``value`` if it is a code, else None."""
    if not isinstance(value, str) or value == _ENVELOPE:
        return None
    return value if _CODE.fullmatch(value) else None


def code_in(body: Any, *names: str) -> str | None:
    """Return the first of the fields ``names`` that is a code; None if there is none.

    They are in the object ``error`` of a body, or in the body itself.
    """
    whole = fields_of(body)
    reported = {**whole, **fields_of(whole.get("error"))}
    found = (as_code(reported.get(name)) for name in names)
    return next((code for code in found if code is not None), None)
