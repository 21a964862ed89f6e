"""The lines of the page for those who come from other products, where these are installed.

MLflow is in the environment of the backends, the others are in one of their own.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from new_processes import in_a_new_process

from otel_agents import api

PAGE = Path(__file__).parents[2] / "docs" / "coming_from.md"
CALL = re.compile(r"(?:(\w+)\.)?([\w.]+)\((.*)\)")
NAMESPACES: Mapping[str, Callable[[str | None], list[Any]]] = {
    "mlflow": lambda before: {
        "mlflow": [import_module("mlflow")],
        "span": [import_module("mlflow.entities.span").LiveSpan],
    }[before or "mlflow"],
    "logfire": lambda before: {
        "logfire": [import_module("logfire")],
        "span": [import_module("logfire").LogfireSpan],
        None: [import_module("logfire.experimental.annotations")],
    }[before],
    "langfuse": lambda before: {
        "langfuse": [import_module("langfuse").Langfuse],
        "span": [import_module("langfuse").LangfuseSpan],
        None: [import_module("langfuse"), import_module("langfuse").Langfuse],
    }[before],
    "otel-agents": lambda before: {
        None: [api],
        "run": [api.AgentBlock],
        "call": [api.InferenceBlock],
    }[before],
}
"""By product: where the names are that follow a name and a dot, or follow nothing."""
INSTALLED = [product for product in NAMESPACES if find_spec(product.replace("-", "_"))]


class Line(NamedTuple):
    """A call of a product's function, as it is in the page."""

    product: str
    before: str | None
    name: str
    given: str


def lines() -> list[Line]:
    rows = [row.split("|")[1:-1] for row in PAGE.read_text("utf-8").splitlines() if row[:1] == "|"]
    products = [cell.strip().lower() for cell in rows[0]]
    return [
        Line(product, *found.groups())
        for row in rows[2:]
        for product, cell in zip(products, row, strict=True)
        for code in re.findall(r"`(?:@|with )?(.*?)(?: as \w+)?:?`", cell)
        if (found := CALL.fullmatch(code)) and product in NAMESPACES
    ]


LINES = lines()


def function(line: Line) -> Any:
    owners = NAMESPACES[line.product](line.before)
    for part in line.name.split("."):
        owners = [getattr(owner, part) for owner in owners if hasattr(owner, part)]
        assert owners, line
    return owners[0]


@pytest.mark.parametrize(
    "line",
    [line for line in LINES if line.product in INSTALLED],
    ids=lambda line: f"{line.product}-{line.name}",
)
def test_the_function_takes_what_the_page_gives_it(line: Line) -> None:
    signature = inspect.signature(function(line))
    known = [name for name, it in signature.parameters.items() if it.kind is not it.VAR_KEYWORD]
    given = [it.partition("=") for it in line.given.split(", ") if it not in ("", "…")]
    named = {name: value for name, equals, value in given if equals}
    assert not known or {*named} <= {*known}
    positional = [None] if known[:1] == ["self"] else []
    positional += [value for value, equals, _ in given if not equals]
    bind = signature.bind if given else signature.bind_partial
    bind(*positional, **named)


@pytest.mark.parametrize("product", NAMESPACES)
def test_the_page_has_lines_of_each_product(product: str) -> None:
    assert len({line.name for line in LINES if line.product == product}) >= 7


PROGRAM = """if True:
    import os
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from otel_agents.api import step

    os.chdir({folder!r})  # where MLflow writes its database
    spans = InMemorySpanExporter()
    {theirs}

    @step
    def plan():
        with inner():
            pass

    outer(plan)
    finished = spans.get_finished_spans()
    assert len({{span.context.trace_id for span in finished}}) == 1
    print(*[span.name for span in finished], sep=", ", flush=True)
    os._exit(0)
"""
THEIRS = {
    "logfire": """
    import logfire
    logfire.configure(
        send_to_logfire=False, console=False, metrics=False, inspect_arguments=False,
        additional_span_processors=[SimpleSpanProcessor(spans)],
    )
    def inner(): return logfire.span("inner")
    @logfire.instrument("outer")
    def outer(plan): plan()""",
    "langfuse": """
    import langfuse
    client = langfuse.Langfuse(public_key="p", secret_key="s", span_exporter=InMemorySpanExporter())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(spans))
    def inner(): return client.start_as_current_observation(name="inner")
    @langfuse.observe(as_type="agent")
    def outer(plan): plan()""",
    "mlflow": """
    from opentelemetry.sdk.trace import TracerProvider
    os.environ["MLFLOW_USE_DEFAULT_TRACER_PROVIDER"] = "false"
    import mlflow
    trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(spans))
    def inner(): return mlflow.start_span("inner")
    @mlflow.trace(span_type="AGENT")
    def outer(plan): plan()""",
}
"""By product: sets it up as its users do, with its first two lines."""


@pytest.mark.parametrize("product", [it for it in INSTALLED if it in THEIRS])
def test_spans_of_both_are_one_trace(product: str, tmp_path: Path) -> None:
    program = PROGRAM.format(theirs=THEIRS[product], folder=str(tmp_path))
    assert in_a_new_process(program) == "inner, step plan, outer\n"
