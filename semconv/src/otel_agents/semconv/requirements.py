"""How strongly the conventions want an attribute, and when."""

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
    """A requirement level (semconv, "Attribute requirement levels")."""

    REQUIRED = "required"
    CONDITIONALLY_REQUIRED = "conditionally required"
    RECOMMENDED = "recommended"
    OPT_IN = "opt-in"


@dataclass(frozen=True)
class Requirement:
    """A level and, in a few words, the condition under which it holds; empty: always."""

    level: Level
    condition: str = ""


Requirements = Mapping[str, Requirement]
"""Attribute names and how strongly each is wanted."""

REQUIRED: Final = Requirement(Level.REQUIRED)
RECOMMENDED: Final = Requirement(Level.RECOMMENDED)
RECOMMENDED_IF_KNOWN: Final = Requirement(Level.RECOMMENDED, "where it applies and is known")
OPT_IN: Final = Requirement(Level.OPT_IN)
IF_KNOWN: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "where it applies and is known")
IF_REQUESTED: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "if the request has it")
AFTER_ERROR: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "after an error")
WITH_SERVER: Final = Requirement(Level.CONDITIONALLY_REQUIRED, "with server.address")
