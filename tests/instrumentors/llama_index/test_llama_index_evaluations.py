"""Evaluators: a step each, and an event with the score."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core.evaluation import (
    BatchEvalRunner,
    EvaluationResult,
    FaithfulnessEvaluator,
    SemanticSimilarityEvaluator,
)
from llama_index.core.evaluation.base import BaseEvaluator
from llama_index_parts import CHAT, EMBED, embedding

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
SUBJECT: Any = {"query": "Which?", "response": "Red.", "contexts": ["red"]}


def score(name: str, value: float) -> tuple[str, dict[str, Any]]:
    attributes = {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": value}
    return "gen_ai.evaluation.result", attributes


def steps(emission: Emission) -> list[tuple[str, dict[str, Any]]]:
    return [
        (span.name, dict(span.attributes or {}))
        for span in emission.spans
        if span.name.startswith("evaluate ")
    ]


def test_an_evaluation_calls_a_model_and_has_a_score(
    llm: Any, loop: Loop, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(lambda request: Response("YES"))
    evaluator = FaithfulnessEvaluator(llm=llm)
    result = loop.run_until_complete(evaluator.aevaluate(**SUBJECT))
    assert result.score == 1.0
    tree = emission.tree()
    assert tree[0] == "evaluate Faithfulness"
    assert CHAT in [line.strip() for line in tree]
    assert emission.traces() == 1
    assert emission.events == [score("Faithfulness", 1.0)]
    _, scored = score("Faithfulness", 1.0)
    assert steps(emission) == [
        ("evaluate Faithfulness", {"otel_agents.step.type": "evaluate", **scored})
    ]


def test_an_evaluation_by_similarity(loop: Loop, model: ScriptedModel, emission: Emission) -> None:
    evaluator = SemanticSimilarityEvaluator(embed_model=embedding(model))
    result = loop.run_until_complete(evaluator.aevaluate(response="Red.", reference="red"))
    assert emission.tree() == ["evaluate SemanticSimilarity", f"  {EMBED}", f"  {EMBED}"]
    assert result.score is not None
    assert emission.events == [score("SemanticSimilarity", result.score)]


class Lengths(BaseEvaluator):
    """An evaluator of the application."""

    def _get_prompts(self) -> Any:
        return {}

    def _update_prompts(self, prompts_dict: Any) -> None:
        """It has none."""

    async def aevaluate(
        self, query: Any = None, response: Any = None, contexts: Any = None, **kwargs: Any
    ) -> EvaluationResult:
        return EvaluationResult(response=response, passing=len(response) > 3)


def test_an_evaluator_that_only_passes(emission: Emission) -> None:
    Lengths().evaluate(**SUBJECT)
    assert emission.tree() == ["evaluate Lengths"]
    assert emission.events == [score("Lengths", 1.0)]


def test_many_evaluations_are_one_trace(loop: Loop, emission: Emission) -> None:
    runner = BatchEvalRunner({"lengths": Lengths()})
    responses = ["Red.", "Green."]
    found = runner.aevaluate_response_strs(["a", "b"], responses, [["x"], ["y"]])
    loop.run_until_complete(found)
    assert emission.tree() == ["evaluate", "  evaluate Lengths", "  evaluate Lengths"]
    assert emission.events == [score("Lengths", 1.0), score("Lengths", 1.0)]
