"""Requirement levels of attributes, with their conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = [
    "AFTER_ERROR",
    "IF_KNOWN",
    "IF_REQUESTED",
    "OPT_IN",
    "RECOMMENDED",
    "RECOMMENDED_IF_KNOWN",
    "REQUIRED",
    "WITH_SERVER",
    "Level",
    "Requirement",
    "Requirements",
]


class Level(Enum):
    """A requirement level (semconv, "Attribute requirement levels").

    Example:
        >>> Level("opt-in")
        <Level.OPT_IN: 'opt-in'>
    """

    REQUIRED = "required"
    CONDITIONALLY_REQUIRED = "conditionally required"
    RECOMMENDED = "recommended"
    OPT_IN = "opt-in"


@dataclass(frozen=True)
class Requirement:
    """A level and, in a few words, its condition; empty if it always applies.

    Example:
        >>> Requirement(Level.CONDITIONALLY_REQUIRED, "after an error") == AFTER_ERROR
        True
    """

    level: Level
    condition: str = ""


Requirements = Mapping[str, Requirement]
"""Attribute names and their requirement levels."""

REQUIRED: Final = Requirement(Level.REQUIRED)
RECOMMENDED: Final = Requirement(Level.RECOMMENDED)
RECOMMENDED_IF_KNOWN: Final = Requirement(Level.RECOMMENDED, "where it applies and is known")
OPT_IN: Final = Requirement(Level.OPT_IN)
IF_KNOWN: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "where it applies and is known")
IF_REQUESTED: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "if the request has it")
AFTER_ERROR: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "after an error")
WITH_SERVER: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "with server.address")
