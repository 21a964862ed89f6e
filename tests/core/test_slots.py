"""A slot is a typed place in the context: its own, whatever it is called."""

from __future__ import annotations

import pytest
from opentelemetry.context import Context, attach, detach, get_current, set_value

from otel_agents.instrumentors._core.context.slots import Slot

TEXT = Slot("toy", str)


def test_what_was_set_is_there_and_only_in_that_context() -> None:
    before = Context()
    after = TEXT.set("nightly", before)
    assert (TEXT.get(before), TEXT.get(after)) == (None, "nightly")


def test_without_a_context_the_current_one_is_meant() -> None:
    token = attach(TEXT.set("outer"))
    try:
        assert TEXT.get() == "outer"
        inner = TEXT.set("inner")
        assert (TEXT.get(), TEXT.get(inner)) == ("outer", "inner")
    finally:
        detach(token)
    assert TEXT.get() is None


def test_the_rest_of_a_context_stays() -> None:
    context = TEXT.set("nightly", set_value("theirs", 1, Context()))
    assert context["theirs"] == 1


def test_none_empties_a_slot() -> None:
    assert TEXT.get(TEXT.set(None, TEXT.set("nightly", Context()))) is None


@pytest.mark.parametrize("value", ["", False, 0, ()])
def test_what_is_false_is_there(value: object) -> None:
    slot = Slot("false", type(value))
    assert slot.get(slot.set(value, Context())) == value


def test_what_is_of_another_type_is_not_there() -> None:
    """As after an upgrade of ours in a process that has contexts of before."""
    (key,) = TEXT.set("nightly", Context())
    assert TEXT.get(set_value(key, 7, Context())) is None


def test_a_value_of_a_subclass_is_there() -> None:
    class Name(str):
        __slots__ = ()

    assert TEXT.get(TEXT.set(Name("ada"), Context())) == "ada"


def test_slots_of_the_same_name_are_different_ones() -> None:
    other = Slot("toy", str)
    context = other.set("theirs", TEXT.set("mine", Context()))
    assert (TEXT.get(context), other.get(context)) == ("mine", "theirs")


def test_people_who_look_at_a_context_find_the_name() -> None:
    (key,) = TEXT.set("nightly", Context())
    assert key.startswith("otel_agents-toy")


def test_a_slot_changes_no_current_context() -> None:
    before = get_current()
    TEXT.set("nightly")
    assert get_current() is before
