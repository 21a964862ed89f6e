"""An application under the distro, seen by the receiver: the bytes that leave the process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from instrumented import Finished, instrumented, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
PROGRAM = f"""
    import openai
    from opentelemetry import trace

    client = openai.OpenAI(max_retries=0)
    tool = {{"type": "function", "function": {{"name": "weather", "description": "{SECRET}"}}}}

    def ask(prompt, **options):
        messages = [{{"role": "system", "content": "{SECRET}"}}, {{"role": "user", "content": prompt}}]
        return client.chat.completions.create(
            model="gpt-4o", messages=messages, tools=[tool], **options
        )

    ask("What is {SECRET}?")
    list(ask("And now, {SECRET}?", stream=True))
    client.embeddings.create(model="text-embedding-3-small", input="{SECRET}")
    try:
        ask("Fail with {SECRET}.")
    except openai.APIError as error:
        assert "{SECRET}" in str(error)
    ask("Fail again with {SECRET}.")
"""
EVENTS = {"OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true", "OTEL_AGENTS_METRICS": "both"}
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "EVENT_ONLY"}


def run(tmp_path: Path, receiver: Receiver, variables: dict[str, str]) -> Finished:
    """Run the program, which ends by an uncaught exception."""
    with ScriptedModel() as model:
        failure = Failure(400, code=None, message=SECRET)
        call = ToolCall("weather", {"city": SECRET})
        model.script(
            Response(SECRET, tool_calls=[call]), Response(SECRET), Response(), failure, failure
        )
        given = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
        }
        program = script(tmp_path, PROGRAM)
        return instrumented(program, {**given, **variables}, installed=True)


def spoken(done: Finished) -> list[str]:
    """Return messages of the distro and exporters, without those about conflicts."""
    lines = [line for line in done.err.splitlines() if re.search(r"^otel-agents|[Ee]xport", line)]
    return [line for line in lines if "OTEL_AGENTS_PREFER=theirs" not in line]


def sent(receiver: Receiver, path: str) -> bytes:
    """Return everything that arrived for one signal."""
    return b"".join(request.SerializeToString() for at, request in receiver.requests if at == path)


@pytest.mark.parametrize("variables", [{}, EVENTS], ids=["defaults", "events"])
def test_a_planted_secret_leaves_by_no_signal(tmp_path: Path, variables: dict[str, str]) -> None:
    with Receiver() as receiver:
        done = run(tmp_path, receiver, variables)
    assert done.status == 1
    assert done.err.splitlines()[-1].startswith("openai.BadRequestError")
    assert spoken(done) == []
    assert receiver.span_names == [*["chat gpt-4o"] * 4, "embeddings text-embedding-3-small"]
    assert {"gen_ai.client.operation.duration"} <= receiver.metric_names
    assert b"gen_ai.client.operation.exception" in sent(receiver, "/v1/logs")
    details = b"gen_ai.client.inference.operation.details"
    assert (details in sent(receiver, "/v1/logs")) is bool(variables)
    for path in receiver.paths:
        assert SECRET.encode() not in sent(receiver, path), path


def test_content_that_is_enabled_for_events_leaves_only_by_them(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = run(tmp_path, receiver, {**EVENTS, **CONTENT})
    assert spoken(done) == []
    assert SECRET.encode() in sent(receiver, "/v1/logs")
    assert SECRET.encode() not in sent(receiver, "/v1/traces")
    assert SECRET.encode() not in sent(receiver, "/v1/metrics")
