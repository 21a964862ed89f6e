"""Names that open pull requests of the conventions propose for our attributes.

Source: ``open-telemetry/semantic-conventions-genai``, pull request 443 (cost) and branch
``changelog.d/79`` (evaluators), November 2026. Once one is merged, it replaces ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from . import attributes as attr

__all__ = ["PENDING"]

PENDING: Final[Mapping[str, str]] = MappingProxyType(
    {
        attr.OTEL_AGENTS_COST: "gen_ai.usage.cost.amount",  # with its currency, which is USD here
        attr.OTEL_AGENTS_COST_SOURCE: "gen_ai.usage.cost.source",  # provider or local: ours is local
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_ID: "gen_ai.evaluation.evaluator.id",
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_TYPE: "gen_ai.evaluation.evaluator.type",
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_VERSION: "gen_ai.evaluation.evaluator.version",
    }
)
"""Our names, each with the proposed one."""
