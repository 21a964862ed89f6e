"""A background response that this process cancels or deletes: its span ends then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai_calls import VERSION

from otel_agents.testing.emission import Emission

if VERSION < (1, 91):  # earlier versions: ``cancel`` returns None
    pytest.skip("gives no response", allow_module_level=True)


def plain(client: openai.OpenAI, response_id: str) -> object:
    return client.responses.cancel(response_id)


def raw(client: openai.OpenAI, response_id: str) -> object:
    return client.responses.with_raw_response.cancel(response_id)


def streaming(client: openai.OpenAI, response_id: str) -> object:
    with client.responses.with_streaming_response.cancel(response_id) as response:
        return response.read()


def by_awaiting(client: openai.OpenAI, response_id: str) -> object:
    async def main() -> object:
        async with openai.AsyncOpenAI(base_url=client.base_url, api_key="none") as twin:
            return await twin.responses.cancel(response_id)

    return asyncio.run(main())


@pytest.mark.parametrize("cancel", [plain, raw, streaming, by_awaiting])
@pytest.mark.usefixtures("instrumented")
def test_a_background_response_that_is_cancelled_ends(
    cancel: Callable[[openai.OpenAI, str], object], client: openai.OpenAI, emission: Emission
) -> None:
    made = client.responses.create(model="gpt-5", input="Hi", background=True)
    assert emission.spans == ()
    assert cancel(client, made.id)
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    assert attributes["gen_ai.response.id"] == made.id
    assert attributes["gen_ai.response.finish_reasons"] == ("error",)
    assert attributes["error.type"] == "cancelled"
    assert "otel_agents.response.pending" not in attributes


@pytest.mark.usefixtures("instrumented")
def test_cancelling_a_response_of_another_process_has_no_span(
    client: openai.OpenAI, emission: Emission
) -> None:
    with pytest.raises(openai.NotFoundError):
        client.responses.cancel("resp_elsewhere")
    assert emission.spans == ()


@pytest.mark.usefixtures("instrumented")
def test_a_background_response_that_is_deleted_ends(
    client: openai.OpenAI, emission: Emission
) -> None:
    made = client.responses.create(model="gpt-5", input="Hi", background=True)
    client.responses.delete(made.id)
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    assert attributes["gen_ai.response.id"] == made.id
    assert attributes["otel_agents.response.pending"] is True
    assert "error.type" not in attributes
