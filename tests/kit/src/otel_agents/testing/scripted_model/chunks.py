"""Text split into the chunks of a stream."""

from __future__ import annotations

import re


def chunks(text: str) -> list[str]:
    """Split text into words, each with the space around it."""
    return re.findall(r"\s*\S+\s*", text)


def fragments(text: str, size: int = 8) -> list[str]:
    """Split text, such as a tool's arguments, into parts of `size` characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]
