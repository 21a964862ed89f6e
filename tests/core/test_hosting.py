"""The API for distributions: what it offers, and what its import costs."""

from __future__ import annotations

import json
from importlib import import_module
from weakref import WeakSet

from new_processes import in_a_new_process

from otel_agents.instrumentors import hosting
from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.operations import InvokeAgent
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.testing.emission import Emission

CORE = "otel_agents.instrumentors._core"
CHEAP = {
    *("context", "context.carrying", "errors", "forking", "green_locks", "importlib_bootstrap"),
    *("patching", "patching.conflicts", "patching.versions", "system"),
    *("tables", "threads", "telemetry", "telemetry.records", "workers"),
}
"""What is imported at the start of every process, of the core."""


def test_importing_it_imports_little() -> None:
    code = "import json, sys; import otel_agents.instrumentors.hosting; print(json.dumps([*sys.modules]))"
    loaded: list[str] = json.loads(in_a_new_process(code))
    assert {
        name.removeprefix(f"{CORE}.") for name in loaded if name.startswith(f"{CORE}.")
    } == CHEAP
    assert not [name for name in loaded if name.startswith("opentelemetry.sdk")]


def test_before_an_instrumentor_is_loaded_nothing_is_in_progress() -> None:
    code = """if True:
        import sys
        from otel_agents.instrumentors import hosting
        print([*hosting.operations_in_progress()], hosting.drain_streams(0))
        print([name for name in sys.modules if name.endswith(("finalization", "in_progress"))])
        """
    assert in_a_new_process(code) == "[] True\n[]\n"


def test_the_names_that_are_looked_up_exist() -> None:
    """They are looked up by name, so nothing else would notice that they have moved."""
    names = ("_STREAMS", "_OPERATIONS", "_OWNERSHIP")
    streams, operations, ownership = (import_module(vars(hosting)[it]) for it in names)
    assert streams.drain is finalization.drain
    assert callable(streams.open_streams)
    assert callable(streams.abandon)
    assert isinstance(operations.DISCARDED, WeakSet)
    assert callable(operations.operations)
    assert callable(operations.interrupt)
    assert callable(ownership.notice_span)


def test_an_operation_in_progress_is_interrupted(emission: Emission) -> None:
    started = InvokeAgent(Telemetry("test", **emission.providers), "planner")
    (found,) = [it for it in hosting.operations_in_progress() if it is started]
    hosting.interrupt(found)
    assert (emission.span.attributes or {})[attr.ERROR_TYPE] == "interrupted"
    assert started not in [*hosting.operations_in_progress()]
    assert hosting.drain_streams(1)


def test_all_names_are_there() -> None:
    assert [name for name in hosting.__all__ if not hasattr(hosting, name)] == []
