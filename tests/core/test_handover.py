"""A context reaches the work on an object, once, and nothing else."""

from __future__ import annotations

import gc
import threading
import weakref

from opentelemetry.context import Context, attach, detach, get_current, set_value

from otel_agents.instrumentors._core.context.carrying import Handover, carry
from otel_agents.instrumentors._core.context.slots import Slot

NAME = Slot("test-handover", str)


class Task:
    """An object that a framework hands to a thread."""


def named(name: str) -> Context:
    return NAME.set(name, Context())


def test_a_context_is_taken_once_by_the_work_on_its_object() -> None:
    tasks, one, other = Handover(), Task(), Task()
    tasks.give(one, context=named("one"))
    tasks.give(other, context=named("other"))
    assert [NAME.get(tasks.take(task) or Context()) for task in (other, one)] == ["other", "one"]
    assert (tasks.take(one), tasks.take(other)) == (None, None)


def test_without_a_context_the_current_one_is_given() -> None:
    tasks, task = Handover(), Task()
    token = attach(named("current"))
    try:
        given = get_current()
        tasks.give(task)
    finally:
        detach(token)
    assert tasks.take(task) is given


def test_objects_are_compared_by_identity() -> None:
    tasks = Handover()
    tasks.give([1], context=named("one"))
    assert tasks.take([1]) is None


def test_several_objects_are_one_key_in_their_order() -> None:
    tasks, agent, task = Handover(), Task(), Task()
    tasks.give(agent, task, context=named("both"))
    assert [tasks.take(agent), tasks.take(task), tasks.take(task, agent)] == [None] * 3
    assert NAME.get(tasks.take(agent, task)) == "both"


def test_giving_again_replaces_the_context() -> None:
    tasks, task = Handover(), Task()
    tasks.give(task, context=named("older"))
    tasks.give(task, context=named("newer"))
    assert NAME.get(tasks.take(task)) == "newer"
    assert tasks.take(task) is None


def test_an_object_is_referenced_until_its_context_is_taken() -> None:
    tasks, task = Handover(), Task()
    alive = weakref.ref(task)
    tasks.give(task, context=named("one"))
    del task
    gc.collect()
    held = alive()
    assert held is not None
    assert NAME.get(tasks.take(held)) == "one"
    del held
    gc.collect()
    assert alive() is None


def test_a_dropped_context_is_neither_taken_nor_referenced() -> None:
    tasks, task = Handover(), Task()
    alive = weakref.ref(task)
    tasks.give(task, context=named("one"))
    tasks.drop(task)
    assert tasks.take(task) is None
    tasks.drop(task)
    del task
    gc.collect()
    assert alive() is None


def test_the_oldest_contexts_are_dropped_at_the_limit() -> None:
    tasks, objects = Handover(limit=2), [Task() for _ in range(3)]
    alive = weakref.ref(objects[0])
    for number in range(3):
        tasks.give(objects[number], context=named(str(number)))
    found = [tasks.take(task) for task in objects]
    assert [context and NAME.get(context) for context in found] == [None, "1", "2"]
    objects.clear()
    gc.collect()
    assert alive() is None


def test_another_thread_can_take_a_context() -> None:
    tasks, task, found = Handover(), Task(), list[str | None]()
    tasks.give(task, context=named("mine"))
    thread = threading.Thread(target=lambda: found.append(NAME.get(tasks.take(task))))
    thread.start()
    thread.join()
    assert found == ["mine"]


def test_a_carried_function_runs_in_its_context_and_restores_the_other() -> None:
    def where(prefix: str, *, suffix: str) -> str:
        attach(named("left behind"))
        return f"{prefix}{seen()}{suffix}"

    seen = carry(lambda: NAME.get(), named("carried"))
    outer = set_value("mark", 1, Context())
    token = attach(outer)
    try:
        assert carry(where, named("other"))("<", suffix=">") == "<carried>"
        assert get_current() is outer
    finally:
        detach(token)
    assert carry(where).__name__ == "where"
