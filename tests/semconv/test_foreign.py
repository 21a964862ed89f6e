"""The tables of what other libraries emit are consistent."""

from __future__ import annotations

import pytest

from otel_agents.semconv.foreign import (
    CONVENTIONS,
    OTHER,
    OURS,
    SCOPES,
    SCOPES_WITHOUT_CONTENT,
    TEXT_KINDS,
    VOCABULARIES,
    Vocabulary,
    scope_named,
)
from otel_agents.semconv.registry import CONTENT, REGISTRY, REMOVED

STRUCTURES = {
    "input_messages",
    "output_messages",
    "system_instructions",
    "tool_definitions",
    "tool_arguments",
    "tool_result",
    "retrieval_documents",
    "memory_records",
}


def example(name: str) -> str:
    """Return a name that a row of a table matches."""
    return f"{name[:-1]}0.text" if name.endswith("*") else name


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda one: one.name)
def test_each_name_of_a_vocabulary_has_its_kind(vocabulary: Vocabulary) -> None:
    assert vocabulary.content
    for name, kind in vocabulary.content.items():
        assert kind in TEXT_KINDS | STRUCTURES
        assert vocabulary.kind_of(example(name)) == kind
    for name in vocabulary.kept:
        assert vocabulary.kind_of(name) is None
    for name in vocabulary.markers:
        assert vocabulary.is_shown_by(example(name))


def test_the_conventions_content_is_content_whoever_emits_it_and_the_rest_is_not() -> None:
    assert {name for name in CONTENT if CONVENTIONS.kind_of(name) in (None, OTHER)} == set()
    others = set(REGISTRY).difference(CONTENT, ("gen_ai.evaluation.explanation",))
    errors = {"exception.message", "exception.stacktrace"}
    assert {name for name in others if CONVENTIONS.kind_of(name) is not None} == errors
    assert all(
        CONVENTIONS.kind_of(name) is None
        for name in REMOVED - {"gen_ai.prompt", "gen_ai.completion"}
    )


def test_generic_names_show_no_vocabulary() -> None:
    for name in (
        "input.value",
        "output",
        "final_result",
        "metadata",
        "hidden_params",
        "error.message",
    ):
        assert [one.name for one in VOCABULARIES if one.is_shown_by(name)] == []


def test_scopes_are_named_once_and_found() -> None:
    names = [scope.name for scope in SCOPES]
    assert len(set(names)) == len(names)
    for scope in SCOPES:
        below = scope.name.endswith(".*")
        assert scope_named(scope.name.removesuffix(".*")) is scope
        assert (scope_named(f"{scope.name.removesuffix('.*')}.x.y") is scope) is below
        assert CONVENTIONS in scope.vocabularies
        assert not scope.name.startswith(OURS)
    assert not {scope_named(name) for name in SCOPES_WITHOUT_CONTENT} - {None}
    assert scope_named("strands_app") is None


def test_what_a_repair_names_is_of_today() -> None:
    for scope in SCOPES:
        if scope.repair is not None:
            assert set(scope.repair.spellings.values()) <= set(REGISTRY)
            assert not set(scope.repair.spellings) & set(REGISTRY)
