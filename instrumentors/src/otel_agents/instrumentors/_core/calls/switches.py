"""The switch of a patch: off, and whatever still holds the wrapper runs the original."""

from __future__ import annotations


class Switch:
    """On while its patch is applied; read at each call."""

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = True
