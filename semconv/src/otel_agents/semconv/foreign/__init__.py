"""What other libraries emit about models and agents: which names hold content, and what is wrong.

`vocabularies` and `vendors` have the names, `scopes` the libraries that use them, `repairs` what differs from the
conventions. State of autumn 2026.
"""

from __future__ import annotations

from .repairs import PROVIDERS, Repair
from .scopes import OURS, SCOPES, SCOPES_WITHOUT_CONTENT, Scope, scope_named
from .vendors import VOCABULARIES
from .vocabularies import CONVENTIONS, EVENT_FIELDS, OTHER, TEXT_KINDS, Vocabulary

__all__ = [
    "CONVENTIONS",
    "EVENT_FIELDS",
    "OTHER",
    "OURS",
    "PROVIDERS",
    "SCOPES",
    "SCOPES_WITHOUT_CONTENT",
    "TEXT_KINDS",
    "VOCABULARIES",
    "Repair",
    "Scope",
    "Vocabulary",
    "scope_named",
]
