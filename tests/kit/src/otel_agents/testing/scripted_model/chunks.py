"""A text in the pieces of a stream."""

from __future__ import annotations

import re


def chunks(text: str) -> list[str]:
    """The text in the pieces of a stream: words with the space before or after them."""
    return re.findall(r"\s*\S+\s*", text)


def fragments(text: str, size: int = 8) -> list[str]:
    """The text (arguments of a tool) in pieces of so many characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]
