"""Requests that fail: the same exception for the caller, one span, a type and no text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import openai
import pytest
from error_laws import SECRET, ErrorLaws, error_types
from openai_calls import MESSAGES, VERSION, send

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel


class TestErrors(ErrorLaws):
    """The laws for chat."""


@pytest.mark.parametrize(
    "api", ["chat", "completions", "embeddings"] + ["responses"] * (VERSION >= (1, 66))
)
@pytest.mark.usefixtures("instrumented")
def test_every_api_reports_its_errors(
    api: str, client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "chat": lambda: send(client),
        "completions": lambda: client.completions.create(model="m", prompt="p"),
        "embeddings": lambda: client.embeddings.create(model="m", input="p"),
        "responses": lambda: client.responses.create(model="m", input="p"),
    }
    model.script(Failure(500, message=SECRET))
    with pytest.raises(openai.InternalServerError):
        calls[api]()
    assert error_types(emission) == ["openai.InternalServerError"]
    assert SECRET not in emission.texts()


if VERSION >= (1, 92):
    from pydantic import BaseModel

    class City(BaseModel):
        city: str

    def parse_chat(client: Any, **arguments: Any) -> Any:
        return client.chat.completions.parse(**arguments)

    @pytest.mark.usefixtures("instrumented")
    def test_parse_is_one_span(
        client: openai.OpenAI, run: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(*[Response('{"city": "Paris"}')] * 3)
        chat: Any = {"model": "m", "messages": MESSAGES, "response_format": City}
        parsed = client.chat.completions.parse(**chat).choices[0].message.parsed
        assert parsed == City(city="Paris")
        run(partial(parse_chat, **chat))
        client.responses.parse(model="m", input="Hi", text_format=City)
        assert emission.names == ["chat m"] * 3
        requested = [(span.attributes or {})["gen_ai.output.type"] for span in emission.spans]
        assert requested == ["json"] * 3

    @pytest.mark.usefixtures("instrumented")
    def test_a_response_that_cannot_be_parsed_has_its_tokens(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response('{"city": "Pa', finish_reason="length"))
        with pytest.raises(openai.LengthFinishReasonError):
            client.chat.completions.parse(model="m", messages=MESSAGES, response_format=City)
        attributes = dict(emission.span.attributes or {})
        assert attributes["error.type"] == "openai.LengthFinishReasonError"
        assert attributes["gen_ai.response.finish_reasons"] == ("length",)
        assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
