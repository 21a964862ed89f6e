"""A slot is a typed key in the context, unique whatever its name."""

from __future__ import annotations

import pytest
from opentelemetry.context import Context, attach, detach, get_current, set_value

from otel_agents.instrumentors._core.context.slots import Slot

TEXT = Slot("toy", str)


def test_a_value_is_only_in_its_context() -> None:
    before = Context()
    after = TEXT.set("nightly", before)
    assert (TEXT.get(before), TEXT.get(after)) == (None, "nightly")


def test_the_current_context_is_the_default() -> None:
    token = attach(TEXT.set("outer"))
    try:
        assert TEXT.get() == "outer"
        inner = TEXT.set("inner")
        assert (TEXT.get(), TEXT.get(inner)) == ("outer", "inner")
    finally:
        detach(token)
    assert TEXT.get() is None


def test_other_values_of_the_context_stay() -> None:
    context = TEXT.set("nightly", set_value("theirs", 1, Context()))
    assert context["theirs"] == 1


def test_none_empties_a_slot() -> None:
    assert TEXT.get(TEXT.set(None, TEXT.set("nightly", Context()))) is None


@pytest.mark.parametrize("value", ["", False, 0, ()])
def test_a_false_value_is_kept(value: object) -> None:
    slot = Slot("false", type(value))
    assert slot.get(slot.set(value, Context())) == value


def test_a_value_of_another_type_is_ignored() -> None:
    """Such as after an upgrade of this package in a process with older contexts."""
    (key,) = TEXT.set("nightly", Context())
    assert TEXT.get(set_value(key, 7, Context())) is None


def test_a_value_of_a_subclass_is_found() -> None:
    class Name(str):
        __slots__ = ()

    assert TEXT.get(TEXT.set(Name("ada"), Context())) == "ada"


def test_slots_of_the_same_name_are_different_ones() -> None:
    other = Slot("toy", str)
    context = other.set("theirs", TEXT.set("mine", Context()))
    assert (TEXT.get(context), other.get(context)) == ("mine", "theirs")


def test_the_name_is_visible_in_the_context() -> None:
    (key,) = TEXT.set("nightly", Context())
    assert key.startswith("otel_agents-toy")


def test_a_slot_changes_no_current_context() -> None:
    before = get_current()
    TEXT.set("nightly")
    assert get_current() is before
