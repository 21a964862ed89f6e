"""A service with two users, whose feedback comes back later, to another process of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from backends import otlp_json
from backends.collector import Collector, samples
from backends.golden import Found
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.program import Program, fetch, responds, wait_for
from backends.xray import XRay
from backends.zipkin import Zipkin
from instrumented import plain_environ
from otlp_receiver import free_port

from otel_agents.testing.scripted_model import ScriptedModel

EXAMPLES = Path(__file__).parents[2] / "examples"
JSON = {"Content-Type": "application/json"}
SPANS = ["GET", "chat gpt-4o-mini", "execute_tool weather", "invoke_agent travel-guide"]
EVALUATED = "otel_agents.evaluation.evaluator.type"
USERS = ("ada", "bob")
MODEL = "gpt-4o-mini"


class Service(Program):
    """One process of the service, under ``opentelemetry-instrument``."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.port = free_port()
        command = [Path(sys.executable).with_name("opentelemetry-instrument"), sys.executable]
        command += ["-m", "uvicorn", "travel_service:service", "--app-dir", str(EXAMPLES)]
        super().__init__([*map(str, command), "--port", str(self.port)], environ)

    def ready(self) -> bool:
        return responds(f"http://127.0.0.1:{self.port}/docs")

    def post(self, path: str, user: str, **body: Any) -> Any:
        """Send what ``user`` does."""
        url = f"http://127.0.0.1:{self.port}/{path}"
        return json.loads(
            fetch(url, body=json.dumps(body).encode(), headers={**JSON, "user": user})
        )


class Used(NamedTuple):
    """What was left by the use of the service.

    Attributes:
        references: Those of the replies, by user.
        metrics: What the Collector's Prometheus endpoint has.
        events: The attributes of the evaluation events that the Collector wrote, with their context.
        billed: What the model has billed to each user: input and output tokens.
    """

    references: dict[str, str]
    metrics: dict[tuple[str, frozenset[tuple[str, str]]], float]
    events: list[dict[str, Any]]
    billed: dict[str, tuple[int, int]]


@pytest.fixture(scope="module")
def used(jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow, tmp_path_factory: Any) -> Any:
    """Use the service: two users plan, and rate the replies minutes later."""
    logs = tmp_path_factory.mktemp("logs") / "logs.jsonl"
    with ScriptedModel() as model, XRay() as xray:
        where = {"LOGS_FILE": str(logs)}
        for backend in (jaeger, zipkin, mlflow, xray):
            where |= backend.environ
        with Collector("all-backends", environ=where) as collector:
            environ = plain_environ(
                {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
                    "OTEL_METRIC_EXPORT_INTERVAL": "200",
                    "OTEL_AGENTS_COST": "true",
                    "OTEL_AGENTS_METRIC_ATTRIBUTES": "gen_ai.agent.name,user.id,plan",
                    "MODEL_URL": model.openai_url,
                }
            )
            with Service(environ) as service:
                wait_for(lambda: prices_are_there(service, collector), "a call with its cost")
                first = len(model.ledger.entries)
                replies = {
                    user: service.post("plan", user, session=f"of-{user}", text="Where to?")
                    for user in USERS
                }
            with Service(environ) as service:  # minutes later
                for user, reply in replies.items():
                    rating = {"reference": reply["reference"], "good": user == "ada"}
                    service.post("feedback", user, **rating, comment="planted-secret")
            references = {user: str(reply["reference"]) for user, reply in replies.items()}
            wait_for(lambda: logs.read_text("utf-8").count("user_feedback") == 2, "the events")
            metrics = samples(collector.metrics())
        entries = model.ledger.entries[first:]
        yield Used(
            references,
            metrics,
            evaluations(logs),
            {
                user: (entry.input_tokens, entry.output_tokens)
                for user, entry in zip(USERS, entries, strict=True)
            },
        )


def prices_are_there(service: Service, collector: Collector) -> bool:
    """Have the service call its model, and return whether a call had a cost."""
    service.post("plan", "eve", session="of-eve", text="Are you there?")
    return any(name.startswith("otel_agents_cost") for name, _ in samples(collector.metrics()))


def evaluations(logs: Path) -> list[dict[str, Any]]:
    """Return the evaluation events that the Collector wrote."""
    found: list[dict[str, Any]] = []
    for line in logs.read_text("utf-8").splitlines():
        for resource in json.loads(line)["resourceLogs"]:
            for scope in resource["scopeLogs"]:
                found += [
                    {
                        **otlp_json.attributes(record),
                        "trace": record["traceId"],
                        "span": record["spanId"],
                    }
                    for record in scope["logRecords"]
                    if record.get("eventName") == "gen_ai.evaluation.result"
                ]
    return found


def cost(tokens: tuple[int, int]) -> float:
    """Return what these tokens cost by the price list."""
    library: Any = import_module("genai_prices")
    usage = library.Usage(input_tokens=tokens[0], output_tokens=tokens[1])
    return float(library.calc_price(usage, MODEL, provider_id="openai").total_price)


def checked(spans: list[Found], user: str, billed: tuple[int, int]) -> None:
    """Check the spans of a user's request, with both evaluations of it."""
    known = {span.id: span for span in spans}
    by_name = {span.node.name: span for span in spans}
    agent = by_name["invoke_agent travel-guide"]
    for name in ("chat gpt-4o-mini", "score has_text", "score user_feedback"):
        assert known[by_name[name].parent_id or ""] is agent
    for span in (agent, by_name["chat gpt-4o-mini"]):
        found = span.node.attributes
        assert found["user.id"] == user
        assert found["session.id"] == f"of-{user}"
        assert found["otel_agents.tag.plan"] == "pro"
    call = by_name["chat gpt-4o-mini"].node.attributes
    assert float(call["otel_agents.cost"]) == pytest.approx(cost(billed))
    assert call["otel_agents.cost.source"] == "genai-prices"
    rated = by_name["score user_feedback"].node.attributes
    assert rated["gen_ai.evaluation.score.label"] == ("positive" if user == "ada" else "negative")
    assert (rated[EVALUATED], rated["user.id"]) == ("human", user)
    assert by_name["score has_text"].node.attributes[EVALUATED] == "code"
    assert "planted-secret" not in repr(spans)


def whole(read: Any) -> list[Found] | None:
    """Return the spans of a trace once the feedback has arrived."""
    spans = [otlp_json.found(span) for span in read()]
    names = {span.node.name for span in spans}
    return spans if {"score user_feedback", "invoke_agent travel-guide"} <= names else None


@pytest.mark.parametrize("user", ["ada", "bob"])
def test_jaeger_has_the_users_trace_with_the_feedback(
    used: Used, jaeger: Jaeger, user: str
) -> None:
    trace_id = used.references[user].split("-")[1]
    spans = wait_for(lambda: whole(lambda: jaeger.spans(trace_id)), "the trace in Jaeger")
    checked(spans, user, used.billed[user])


@pytest.mark.parametrize("user", ["ada", "bob"])
def test_mlflow_has_the_users_trace_with_the_feedback(
    used: Used, mlflow: Mlflow, user: str
) -> None:
    trace_id = used.references[user].split("-")[1]
    spans = wait_for(lambda: whole(lambda: mlflow.spans(trace_id)), "the trace in MLflow")
    checked(spans, user, used.billed[user])


@pytest.mark.parametrize("user", USERS)
def test_the_collector_has_the_events_of_the_users_evaluations(used: Used, user: str) -> None:
    _, trace_id, agent, _ = used.references[user].split("-")
    events = [event for event in used.events if event["trace"] == trace_id]
    common = {"trace": trace_id, "span": agent, "user.id": user}
    good = user == "ada"
    assert sorted(events, key=lambda event: str(event["gen_ai.evaluation.name"])) == [
        {
            **common,
            "session.id": f"of-{user}",
            "otel_agents.tag.plan": "pro",
            "gen_ai.evaluation.name": "has_text",
            "gen_ai.evaluation.score.value": 1.0,
            EVALUATED: "code",
        },
        {
            **common,
            "gen_ai.evaluation.name": "user_feedback",
            "gen_ai.evaluation.score.value": float(good),
            "gen_ai.evaluation.score.label": "positive" if good else "negative",
            EVALUATED: "human",
        },
    ]


def by_user(used: Used, name: str, **labels: str) -> dict[str, float]:
    """Return a metric of each user, of the agent and the plan."""
    labels |= {"gen_ai_agent_name": "travel-guide", "otel_agents_tag_plan": "pro"}
    return {
        found["user_id"]: value
        for (metric, given), value in used.metrics.items()
        if metric == name
        and labels.items() <= (found := dict(given)).items()
        and found["user_id"] in USERS
    }


def test_the_metrics_have_the_tokens_and_the_cost_of_each_user(used: Used) -> None:
    tokens = by_user(used, "gen_ai_client_token_usage_sum", gen_ai_token_type="input")
    assert tokens == {user: billed[0] for user, billed in used.billed.items()}
    costs = by_user(used, "otel_agents_cost_total")
    assert costs == {user: pytest.approx(cost(billed)) for user, billed in used.billed.items()}
