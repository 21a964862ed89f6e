"""The tables are consistent, and need only Python."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from otel_agents import semconv
from otel_agents.semconv import attributes
from otel_agents.semconv.events import EVENTS
from otel_agents.semconv.metrics import METRICS
from otel_agents.semconv.refinements import REFINEMENTS
from otel_agents.semconv.registry import CONTENT, REGISTRY, REMOVED
from otel_agents.semconv.spans import SPAN_TYPES
from otel_agents.semconv.values import Operation


def constants() -> dict[str, str]:
    return {name: value for name, value in vars(attributes).items() if name.isupper()}


def test_each_constant_is_named_like_its_attribute_and_registered() -> None:
    assert {value.upper().replace(".", "_"): value for value in constants().values()} == constants()
    assert set(constants().values()) == set(REGISTRY)


def test_every_table_uses_registered_attributes() -> None:
    for table in (*SPAN_TYPES.values(), *METRICS.values(), *EVENTS.values()):
        assert set(table.attributes) <= set(REGISTRY)
    for refinement in REFINEMENTS.values():
        assert set(refinement.attributes) <= set(SPAN_TYPES[refinement.refines].attributes)
    assert set(CONTENT) <= set(REGISTRY)
    assert not REMOVED & set(REGISTRY)


def test_every_operation_has_a_span_type() -> None:
    known = {operation for span_type in SPAN_TYPES.values() for operation in span_type.operations}
    assert known == set(Operation)


def test_sampled_attributes_are_declared() -> None:
    for span_type in SPAN_TYPES.values():
        assert set(span_type.sampled) <= set(span_type.attributes)


def test_only_histograms_have_buckets() -> None:
    for metric in METRICS.values():
        assert bool(metric.buckets) == (metric.instrument == "histogram")
        assert list(metric.buckets) == sorted(metric.buckets)


def test_the_package_imports_only_the_standard_library_and_itself() -> None:
    folder = Path(str(semconv.__file__)).parent
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names or name.startswith("otel_agents.semconv")
