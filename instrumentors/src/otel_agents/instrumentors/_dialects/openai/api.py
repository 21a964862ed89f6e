"""What an API in OpenAI's formats has besides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from otel_agents.instrumentors._dialects.api import Api
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import OpenAIApiType

__all__ = ["OpenAIApi"]


def _no_reasons(response: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class OpenAIApi(Api):
    """One API, whose inference is a `generation.Generation` of this package.

    Attributes:
        finish_reasons: A response's finish reasons, one per choice.
        output: The content of a response, if that is recorded quicker than its output messages.
        type: ``openai.api.type``, if the conventions have a value for it.
    """

    finish_reasons: Callable[[Any], tuple[str, ...]] = _no_reasons
    output: Callable[[Any], Any] | None = None
    type: OpenAIApiType | None = None

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The attributes that all its inferences have."""
        known = super().attributes
        return known if self.type is None else {**known, attr.OPENAI_API_TYPE: self.type.value}
