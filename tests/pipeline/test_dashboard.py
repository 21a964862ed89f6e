"""The dashboard queries metrics that a real Collector's Prometheus endpoint has."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from backends.application import Application
from backends.collector import CONFIG, Collector, samples
from backends.program import wait_for

from otel_agents.semconv.metrics import METRICS, Metric
from otel_agents.semconv.registry import REGISTRY

DASHBOARD: dict[str, Any] = json.loads((CONFIG / "grafana-dashboard.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = [one for one in DASHBOARD["panels"] if one["type"] != "row"]
QUERIES: list[str] = [target["expr"] for panel in PANELS for target in panel["targets"]]
OF_PROMETHEUS = {"job", "le"}
OF_A_COLLECTOR = {"exporter", "receiver"}
CHOSEN_LABEL = "$tag"
"""The viewer chooses it: a variable of the dashboard."""
RARE = {"otelcol_exporter_send_failed_spans", "otelcol_receiver_refused_spans"}
"""Metrics that a Collector has only after failures."""


def names(query: str) -> set[str]:
    """Return the metrics of a query, each with a selector."""
    return set(re.findall(r"([a-zA-Z_:][\w:]*)\{", query))


def labels(query: str) -> set[str]:
    """Return the labels of a query."""
    grouped = {
        label for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(", ")
    }
    return grouped | set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", query))


def record(application: Application, metric: Metric) -> None:
    if metric.instrument == "histogram":
        application.meter.create_histogram(metric.name, metric.unit).record(1)
    else:
        application.meter.create_counter(metric.name, metric.unit).add(1)


@pytest.fixture(scope="module")
def given() -> set[str]:
    """Return the metric names of both endpoints of a gateway after every metric and a span."""
    with Collector("gateway") as gateway, Application(gateway.endpoint) as application:
        for metric in METRICS.values():
            record(application, metric)
        application.tracer.start_span("invoke_agent").end()
        application.flush()

        def seen() -> set[str]:
            found = {name for name, _ in samples(gateway.metrics())}
            return found if "traces_span_metrics_calls_total" in found else set()

        applications = wait_for(seen, "the metrics of spans")
        return applications | {name for name, _ in samples(gateway.telemetry())}


def test_every_queried_metric_exists(given: set[str]) -> None:
    queried = {name for query in QUERIES for name in names(query)}
    assert queried - RARE <= given


def test_every_label_is_one_of_a_known_attribute() -> None:
    known = {name.replace(".", "_") for name in REGISTRY}
    queried = {label for query in QUERIES for label in labels(query) if label != CHOSEN_LABEL}
    assert queried <= known | OF_PROMETHEUS | OF_A_COLLECTOR


def test_both_generations_of_the_metrics_are_queried() -> None:
    queried = {name for query in QUERIES for name in names(query)}
    assert "gen_ai_client_token_usage_sum" in queried
    assert "gen_ai_client_inference_usage_input_tokens_total" in queried


def test_panels_are_apart_and_have_a_text_and_the_chosen_source() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)
    for panel in PANELS:
        assert panel["description"].endswith(".")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_the_variables_that_are_used_are_defined() -> None:
    text = json.dumps(DASHBOARD)
    defined = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", text))
    assert used == defined
