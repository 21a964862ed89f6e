"""Locks that a thread of ours and the application's greenlets ask for at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest
from greens import EVENTLET, GEVENT, Greenlets, ended
from otlp_receiver import Receiver

BEGIN = """
import os, threading, time
from otel_agents.instrumentors.hosting import start_daemon, system

order, ours = [], [system.Flag() for _ in range({threads})]
lock = threading.{kind}()

def own(number):
    with lock:
        order.append("ours")
        system.sleep(0.02)  # as the interpreter has another thread go on anywhere
    ours[number].set()

def start():
    assert all(start_daemon(own, number) for number in range({threads}))

def all_done():
    return system.wait_until(lambda: all(flag.is_set() for flag in ours), 10)
"""
MEETINGS = {
    # A greenlet has it, and waits.
    "held": """
with lock:
    start()
    sleep(0.05)
    order.append("theirs")
assert all_done()
""",
    # Others of its thread are queued for it, from before ours came.
    "queued": """
def their():
    with lock:
        order.append("theirs")
        sleep(0.02)

lock.acquire()
theirs = [spawn(their) for _ in range(3)]
sleep(0)
start()
sleep(0.05)
order.append("theirs")
lock.release()
wait(theirs)
assert all_done()
""",
    # One of ours has it while greenlets come, and others go on.
    "asked for": """
def their():
    with lock:
        order.append("theirs")
        sleep(0.005)

def tick():
    while not all(flag.is_set() for flag in ours):
        sleep(0.001)

start()
assert system.wait_until(lambda: order, 10)
wait([spawn(their), spawn(their), spawn(tick)])
with lock:
    order.append("theirs")
""",
    # As when exporters are imported side by side.
    "ours alone": """
start()
sleep(0)
assert all_done()
""",
    # In time, or not at all.
    "timed": """
start()
assert system.wait_until(lambda: order, 10)
assert not lock.acquire(timeout=0.001)
assert not lock.acquire(blocking=False)
assert lock.acquire(timeout=10)
order.append("theirs")
lock.release()
assert all_done()
""",
}
COUNTS = {"held": 1, "queued": 4, "asked for": 3, "ours alone": 0, "timed": 1}
"""How often greenlets of the application have it."""
END = """
assert lock.acquire(blocking=False)
print(order.count("ours"), order.count("theirs"), flush=True)
os._exit(0)
"""
THEIRS = """
import os, threading
from otel_agents.instrumentors.hosting import start_daemon, system

over = system.Flag()
answers = []

def own():
    ready = threading.Condition()

    def answer():
        with ready:
            answers.append("answered")
            ready.notify()

    with ready:
        spawn(answer)
        ready.wait_for(lambda: answers, 10)
    over.set()

assert start_daemon(own) and over.wait(10)
print(*answers, flush=True)
os._exit(0)
"""
"""Code of others in a thread of ours begins a greenlet there, and waits for it."""
# gevent forgets one of several threads that wait without a loop until the next lets the lock go.
THREADS = pytest.mark.parametrize(
    ("greenlets", "threads"),
    [(GEVENT, 1), (EVENTLET, 1), (EVENTLET, 3)],
    ids=["gevent-1", "eventlet-1", "eventlet-3"],
)


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
@pytest.mark.parametrize("meeting", MEETINGS)
@THREADS
def test_each_that_asks_for_a_lock_has_it_once_it_is_free(
    tmp_path: Path, greenlets: Greenlets, meeting: str, kind: str, threads: int
) -> None:
    begin = BEGIN.replace("{threads}", str(threads)).replace("{kind}", kind)
    program = greenlets.script(tmp_path, begin + MEETINGS[meeting] + END)
    with Receiver() as receiver:
        done = ended(program, receiver)
    assert (done.status, greenlets.errors(done)) == (0, "")
    assert done.out == f"{threads} {COUNTS[meeting]}\n"


def test_greenlets_of_a_thread_of_ours_go_on_while_it_waits_for_one(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = ended(EVENTLET.script(tmp_path, THEIRS), receiver)
    assert (done.status, done.out, EVENTLET.errors(done)) == (0, "answered\n", "")
