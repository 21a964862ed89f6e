"""Token usage as it is reported: the SDK's objects have 0 for each number that is missing."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.openai import usage as openai_usage

__all__ = ["usage_of"]


def usage_of(usage: Any) -> Usage | None:
    """Return the usage of a response; a number that it does not have is None."""
    received: set[str] | None = getattr(usage, "model_fields_set", None)
    if received is not None:
        usage = {name: getattr(usage, name) for name in received}
    return openai_usage.usage_of(usage)
