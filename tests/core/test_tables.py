"""A bounded mapping: keeps the newest entries, reports evicted ones, is empty in a forked child."""

from __future__ import annotations

import gc
import math
import os
import threading
import weakref
from typing import Any

import pytest
from forked import in_a_forked_child

from otel_agents.instrumentors._core import tables
from otel_agents.instrumentors._core.tables import OTHERS, Bounded, ByObject, Counts, Recent


def test_of_more_than_the_limit_the_newest_stay_in_order() -> None:
    table = Bounded[str, int](2)
    for value, key in enumerate("abc"):
        table.put(key, value)
    assert [table.get(key) for key in "abc"] == [None, 1, 2]
    assert [key in table for key in "abc"] == [False, True, True]
    assert (table.values(), len(table)) == ([1, 2], 2)


def test_what_is_put_again_is_the_newest() -> None:
    table = Bounded[str, int](2)
    for value, key in enumerate("abac"):
        table.put(key, value)
    assert table.values() == [2, 3]
    assert [table.get(key) for key in "abc"] == [2, None, 3]


def test_a_default_is_put_where_there_is_none_and_its_entry_is_the_newest() -> None:
    evicted: list[int] = []
    table = Bounded[str, int](2, evicted.append)
    assert [table.setdefault(key, value) for value, key in enumerate("abac")] == [0, 1, 0, 3]
    assert (table.values(), evicted) == ([0, 3], [1])


def test_what_is_popped_is_gone_and_makes_room() -> None:
    table = Bounded[str, int](2)
    table.put("a", 1)
    table.put("b", 2)
    assert (table.pop("a"), table.pop("a")) == (1, None)
    table.put("c", 3)
    assert table.values() == [2, 3]


def test_only_what_makes_room_is_passed_to_evicted() -> None:
    evicted: list[int] = []
    table = Bounded[str, int](2, evicted.append)
    for value, key in enumerate("aabcd"):
        table.put(key, value)
    table.pop("c")
    assert (evicted, table.values()) == ([1, 2], [4])


def test_evicted_is_called_outside_of_the_lock() -> None:
    """Ending an operation may wait for another thread that puts into the same table."""
    evicted: list[int] = []

    def evict(value: int) -> None:
        putting = threading.Thread(target=table.put, args=("other", 9), daemon=True)
        if not evicted:
            evicted.append(value)
            putting.start()
            putting.join(10)
            assert not putting.is_alive()

    table = Bounded[str, int](1, evict)
    table.put("a", 1)
    table.put("b", 2)
    assert (evicted, table.values()) == ([1], [9])


def test_a_destructor_may_use_the_table_that_drops_its_object() -> None:
    """It runs in the thread that has the lock."""
    table = Bounded[str, Any](2)

    class Dropped:
        def __del__(self) -> None:
            table.pop("a")
            table.put("b", "by the destructor")

    table.put("a", Dropped())
    table.put("a", "new")
    gc.collect()
    assert table.get("b") == "by the destructor"


def test_a_table_keeps_nothing_else_alive() -> None:
    class Value: ...

    table = Bounded[int, Value](1)
    value = Value()
    alive = weakref.ref(value)
    table.put(1, value)
    del value
    gc.collect()
    assert alive() is not None
    table.put(2, Value())
    gc.collect()
    assert alive() is None


def test_several_threads_keep_the_limit() -> None:
    evicted: list[int] = []
    table = Bounded[int, int](8, evicted.append)

    def put(first: int) -> None:
        for key in range(first, first + 200):
            table.put(key, key)

    threads = [threading.Thread(target=put, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(table) == 8
    expected = [*range(200), *range(1000, 1200), *range(2000, 2200)]
    assert sorted([*evicted, *table.values()]) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to fork with")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_begins_empty_and_with_a_free_lock() -> None:
    """The lock is held by another thread when the process forks: in the child nobody frees it."""
    evicted: list[int] = []
    table = Bounded[str, int](2, evicted.append)
    table.put("a", 1)
    table.put("b", 2)
    locked, forked = threading.Event(), threading.Event()

    def hold() -> None:
        with vars(table)["_lock"]:
            locked.set()
            forked.wait(20)

    def in_the_child() -> list[Any]:
        begins_with = len(table)
        table.put("c", 3)
        return [begins_with, table.values(), evicted]

    holding = threading.Thread(target=hold)
    holding.start()
    assert locked.wait(20)
    assert in_a_forked_child(in_the_child, meanwhile=forked.set) == "[0, [3], []]"
    holding.join()
    assert table.values() == [1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to fork with")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_inherits_an_inherited_table() -> None:
    table, evicted = Bounded[str, int](2, inherited=True), ByObject[Any, str]()
    table.put("a", 1)
    evicted[test_what_is_popped_is_gone_and_makes_room] = "told"
    assert in_a_forked_child(lambda: (table.values(), [*evicted.values()])) == "([1], ['told'])"


def test_facts_about_an_object_are_dropped_with_it() -> None:
    class Known: ...

    table, known = ByObject[Known, list[int]](), Known()
    table[known] = [1]
    assert table.get(known) == [1]
    del known
    gc.collect()
    assert len(table) == 0


def test_numbers_are_counted_by_name_and_beyond_the_limit_together() -> None:
    counts = Counts(limit=2)
    firsts = [counts.add(name) for name in "abacd"] + [counts.add("e", 3), counts.add("b")]
    assert firsts == [True, True, False, True, False, False, False]
    assert counts == {"a": 2, "b": 2, OTHERS: 5}


def test_counts_of_several_threads_add_up() -> None:
    counts = Counts()

    def count() -> None:
        for _ in range(2000):
            counts.add("a")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {"a": 8000}


def test_expired_entries_are_evicted_when_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evicted: list[int] = []
    now = 1000.0
    monkeypatch.setattr(tables.time, "monotonic", lambda: now)
    monkeypatch.setattr(tables, "EXPIRING", tables.ExpiringTables())
    table = Bounded[str, int](9, evicted.append, seconds=10)
    patient = Bounded[str, int](9, evicted.append, seconds=100)
    for value, key in enumerate("abc"):
        table.put(key, value)
        now += 4
    patient.put("d", 3)
    assert tables.EXPIRING.due == 1010
    now = 1009.9
    tables.evict_expired()
    assert (evicted, tables.EXPIRING.due) == ([], 1010)
    assert table.pop("b") == 1
    now = 1014
    tables.evict_expired()
    assert (evicted, table.values(), tables.EXPIRING.due) == ([0], [2], 1018)
    now = 1018
    tables.evict_expired()
    assert (evicted, len(table), tables.EXPIRING.due) == ([0, 2], 0, 1112)
    table.put("e", 4)
    assert tables.EXPIRING.due == 1028
    table.expire(math.inf)
    assert (evicted, len(patient)) == ([0, 2, 4], 1)


def test_putting_an_entry_again_renews_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(tables.time, "monotonic", lambda: now)
    table = Bounded[str, int](9, seconds=10)
    table.put("a", 1)
    now = 9
    table.put("a", 2)
    assert table.expire(15) == 19
    assert table.values() == [2]


# Tables of what comes and goes.


def test_recent_entries_make_room_for_newer_ones() -> None:
    evicted: list[str] = []
    table: Recent[int, str] = Recent(2, evicted.append)
    for number, name in enumerate("abc"):
        table.put(number, name)
    table.pop(1)
    table.put(3, "d")
    table.put(3, "e")
    assert (evicted, table.get(0), dict(table)) == (["a"], None, {2: "c", 3: "e"})


def test_several_threads_keep_the_limit_of_recent_entries() -> None:
    evicted: list[int] = []
    table: Recent[int, int] = Recent(5, evicted.append)
    together = threading.Barrier(4)

    def work(first: int) -> None:
        together.wait(10)
        for number in range(first, first + 500):
            table.put(number, number)

    threads = [threading.Thread(target=work, args=(1000 * index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(table) <= 8  # each thread may have added one that it has not made room for
    assert len(table) + len(evicted) == 2000


def test_a_forked_child_has_no_recent_entries() -> None:
    table: Recent[int, str] = Recent(2, print)
    table.put(1, "a")
    assert in_a_forked_child(lambda: dict(table)) == "{}"
    assert dict(table) == {1: "a"}
