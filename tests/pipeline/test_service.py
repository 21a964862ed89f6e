"""A service with two users, whose feedback comes back later, to another process of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="module")
def used(jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow) -> Any:
    """Return the references of both users' replies, the Collector's metrics and the bill."""
    with ScriptedModel() as model, XRay() as xray:
        where: dict[str, str] = {}
        for backend in (jaeger, zipkin, mlflow, xray):
            where |= backend.environ
        with Collector("all-backends", environ=where) as collector:
            environ = plain_environ(
                {
                    "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
                    "OTEL_AGENTS_METRIC_ATTRIBUTES": "gen_ai.agent.name,user.id,plan",
                    "MODEL_URL": model.openai_url,
                }
            )
            with Service(environ) as service:
                replies = {
                    user: service.post("plan", user, session=f"of-{user}", text="Where to?")
                    for user in ("ada", "bob")
                }
            with Service(environ) as service:  # minutes later
                for user, reply in replies.items():
                    rating = {"reference": reply["reference"], "good": user == "ada"}
                    service.post("feedback", user, **rating, comment="planted-secret")
            references = {user: str(reply["reference"]) for user, reply in replies.items()}
            yield references, samples(collector.metrics()), model.ledger.entries


def checked(spans: list[Found], user: str) -> None:
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
def test_jaeger_has_the_users_trace_with_the_feedback(used: Any, jaeger: Jaeger, user: str) -> None:
    trace_id = used[0][user].split("-")[1]
    checked(wait_for(lambda: whole(lambda: jaeger.spans(trace_id)), "the trace in Jaeger"), user)


@pytest.mark.parametrize("user", ["ada", "bob"])
def test_mlflow_has_the_users_trace_with_the_feedback(used: Any, mlflow: Mlflow, user: str) -> None:
    trace_id = used[0][user].split("-")[1]
    checked(wait_for(lambda: whole(lambda: mlflow.spans(trace_id)), "the trace in MLflow"), user)


def test_the_metrics_have_the_tokens_of_each_user(used: Any) -> None:
    _, metrics, billed = used
    tokens = {
        (dict(labels)["user_id"], dict(labels)["gen_ai_agent_name"]): value
        for (name, labels), value in metrics.items()
        if name == "gen_ai_client_token_usage_sum"
        and dict(labels)["gen_ai_token_type"] == "input"
        and dict(labels)["otel_agents_tag_plan"] == "pro"
    }
    expected = [entry.input_tokens for entry in billed]
    assert tokens == dict(
        zip((("ada", "travel-guide"), ("bob", "travel-guide")), expected, strict=True)
    )
