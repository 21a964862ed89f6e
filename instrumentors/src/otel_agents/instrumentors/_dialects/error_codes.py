"""The codes of errors that providers report. Any other text may be content."""

from __future__ import annotations

import re
from typing import Any, Final

from .fields import fields_of, text

__all__ = ["code_in"]

_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,64}")


def code_in(body: Any, *names: str) -> str | None:
    """Return the first of the fields ``names`` that is a code; None if there is none.

    They are in the object ``error`` of a body, or in the body itself.
    """
    whole = fields_of(body)
    reported = {**whole, **fields_of(whole.get("error"))}
    found = (text(reported, name) for name in names)
    return next((code for code in found if code and _CODE.fullmatch(code)), None)
