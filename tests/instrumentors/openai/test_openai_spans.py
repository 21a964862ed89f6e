"""Whole spans, metrics and events."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import openai
import pytest
from openai_calls import MESSAGES, VERSION
from opentelemetry.trace import SpanKind, StatusCode
from span_laws import SpanLaws

from otel_agents.instrumentors._core import tables
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.instrumentors.openai import _background
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall, Usage

REQUEST: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": MESSAGES,
    "temperature": 0,
    "top_p": 0.5,
    "max_tokens": 100,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "seed": 7,
    "stop": "END",
    "n": 2,
    "response_format": {"type": "json_object"},
    "user": "somebody",
}
SCRIPTED = Response(
    "{}",
    id="chatcmpl-1",
    model="gpt-4o-mini-2024-07-18",
    usage=Usage(100, 20, cached_tokens=30, reasoning_tokens=5, input_audio_tokens=7),
    service_tier="default",
)


class TestSpans(SpanLaws):
    """The laws for chat."""

    request = REQUEST
    scripted = SCRIPTED
    streamed: ClassVar[dict[str, Any]] = {"extra_body": {"stream_options": {"include_usage": True}}}
    attributes: ClassVar[dict[str, Any]] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "server.address": "127.0.0.1",
        "openai.api.type": "chat_completions",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.finish_reasons": ("stop", "stop"),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.usage.audio.input_tokens": 7,
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_scripted",
    }


@pytest.mark.usefixtures("instrumented")
def test_embeddings(client: openai.OpenAI, model: ScriptedModel, emission: Emission) -> None:
    response = client.embeddings.create(
        model="text-embedding-3-small", input=["a", "b"], dimensions=8, encoding_format="float"
    )
    assert (emission.span.name, emission.span.kind) == (
        "embeddings text-embedding-3-small",
        SpanKind.CLIENT,
    )
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "text-embedding-3-small",
        "gen_ai.embeddings.dimension.count": 8,
        "gen_ai.request.encoding_formats": ("float",),
        "gen_ai.response.model": response.model,
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


@pytest.mark.usefixtures("instrumented")
def test_a_legacy_completion(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    response = client.completions.create(model="davinci", prompt="Say this", best_of=1)
    attributes = dict(emission.span.attributes or {})
    assert emission.span.name == "text_completion davinci"
    assert (attributes["gen_ai.response.id"], attributes["gen_ai.response.finish_reasons"]) == (
        response.id,
        ("stop",),
    )


@pytest.mark.usefixtures("instrumented")
def test_tool_calls_keep_the_providers_finish_reason(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather")]))
    client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert (emission.span.attributes or {})["gen_ai.response.finish_reasons"] == ("tool_calls",)


if VERSION >= (1, 66):

    @pytest.mark.usefixtures("instrumented")
    def test_a_response(client: openai.OpenAI, model: ScriptedModel, emission: Emission) -> None:
        before = client.responses.create(model="gpt-4o-mini", input="Hi")
        model.script(Response("Hi", usage=Usage(100, 20, cached_tokens=30, reasoning_tokens=5)))
        response = client.responses.create(
            model="gpt-4o-mini",
            input="Hi",
            instructions="Be short.",
            max_output_tokens=50,
            previous_response_id=before.id,
            reasoning={"effort": "low"},
            service_tier="flex",
            text={"format": {"type": "text"}},
            temperature=1,
        )
        _, span = emission.spans
        assert span.name == "chat gpt-4o-mini"
        assert dict(span.attributes or {}) == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o-mini",
            "server.address": "127.0.0.1",
            "server.port": model.port,
            "openai.api.type": "responses",
            "openai.request.service_tier": "flex",
            "gen_ai.request.max_tokens": 50,
            "gen_ai.request.previous_response.id": before.id,
            "gen_ai.request.reasoning.level": "low",
            "gen_ai.request.temperature": 1.0,
            "gen_ai.output.type": "text",
            "gen_ai.response.id": response.id,
            "gen_ai.response.model": response.model,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 30,
            "gen_ai.usage.reasoning.output_tokens": 5,
            **(
                {"openai.response.service_tier": response.service_tier}
                if response.service_tier
                else {}
            ),
        }

    @pytest.mark.usefixtures("instrumented")
    def test_a_conversation_has_its_id(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        client.responses.create(model="m", input="Hi", extra_body={"conversation": "conv_1"})
        client.responses.create(
            model="m", input="Hi", extra_body={"conversation": {"id": "conv_2"}}
        )
        named = [(span.attributes or {})["gen_ai.conversation.id"] for span in emission.spans]
        assert named == ["conv_1", "conv_2"]

    @pytest.mark.usefixtures("instrumented")
    def test_a_fetched_response_has_no_tokens(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        made = client.responses.create(model="gpt-4o-mini", input="Hi")
        client.responses.retrieve(made.id)
        fetched = emission.spans[-1]
        assert (fetched.name, fetched.kind) == ("fetch_response", SpanKind.CLIENT)
        assert dict(fetched.attributes or {}) == {
            "gen_ai.operation.name": "fetch_response",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.id": made.id,
            "gen_ai.response.model": made.model,
            "gen_ai.response.status": "completed",
            "gen_ai.response.finish_reasons": ("stop",),
            "openai.api.type": "responses",
            "server.address": "127.0.0.1",
            "server.port": model.port,
        }

    @pytest.mark.usefixtures("instrumented")
    def test_a_background_response_has_its_tokens_when_it_is_fetched(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response("Done", fetches=1))
        made = client.responses.create(model="gpt-4o-mini", input="Hi", background=True)
        assert emission.spans == ()
        while client.responses.retrieve(made.id).status != "completed":
            pass
        (inference,) = [span for span in emission.spans if span.name == "chat gpt-4o-mini"]
        attributes = dict(inference.attributes or {})
        assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
        assert "otel_agents.response.pending" not in attributes
        assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens
        assert model.ledger.input_tokens > 0

    @pytest.mark.usefixtures("instrumented")
    def test_a_background_response_may_be_fetched_as_a_stream(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        made = client.responses.create(model="gpt-4o-mini", input="Hi", background=True)
        list(client.responses.retrieve(made.id, stream=True, starting_after=0))
        fetched, inference = sorted(emission.spans, key=lambda span: span.name != "fetch_response")
        assert dict(fetched.attributes or {}) == {
            "gen_ai.operation.name": "fetch_response",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.id": made.id,
            "gen_ai.response.model": made.model,
            "gen_ai.response.status": "completed",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.request.stream_cursor": "0",
            "openai.api.type": "responses",
            "server.address": "127.0.0.1",
            "server.port": model.port,
        }
        tokens = (inference.attributes or {})["gen_ai.usage.input_tokens"]
        assert tokens == model.ledger.input_tokens > 0

    @pytest.mark.usefixtures("instrumented")
    def test_a_background_response_is_no_error_when_a_signal_ends_the_process(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        """The call has returned; only the response is still in progress."""
        model.script(Response("Done", fetches=1))
        made = client.responses.create(model="gpt-4o-mini", input="Hi", background=True)
        (operation,) = in_progress.operations()
        in_progress.interrupt(operation)
        assert emission.span.status.status_code is StatusCode.UNSET
        while client.responses.retrieve(made.id).status != "completed":
            pass
        assert emission.names.count("chat gpt-4o-mini") == 1

    @pytest.mark.usefixtures("instrumented")
    def test_a_background_response_ends_at_its_age_limit(
        client: openai.OpenAI,
        model: ScriptedModel,
        emission: Emission,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The next call ends it: there is no timer."""
        model.script(Response("Never", fetches=1))
        client.responses.create(model="never", input="Hi", background=True)
        client.embeddings.create(model="e", input="other")
        assert emission.names == ["embeddings e"]
        later = time.monotonic() + 901
        monkeypatch.setattr(tables.time, "monotonic", lambda: later)
        client.embeddings.create(model="e", input="other")
        assert emission.names == ["embeddings e", "chat never", "embeddings e"]
        assert in_progress.operations() == []

    @pytest.mark.usefixtures("instrumented")
    def test_a_background_response_that_nobody_fetches_ends_without_tokens(
        client: openai.OpenAI,
        model: ScriptedModel,
        emission: Emission,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(vars(_background)["_pending"], "_limit", 1)
        model.script(Response("Never", fetches=1), Response("Later", fetches=1))
        client.responses.create(model="never", input="Hi", background=True)
        later = client.responses.create(model="later", input="Hi", background=True)
        assert emission.names == ["chat never"]
        attributes = emission.span.attributes or {}
        assert "gen_ai.usage.input_tokens" not in attributes
        assert "gen_ai.response.finish_reasons" not in attributes
        assert attributes["otel_agents.response.pending"] is True
        while client.responses.retrieve(later.id).status != "completed":
            pass
        assert emission.names.count("chat later") == 1
