"""One response, one inference span with the billed tokens, whichever layer reports."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from conversations import agent, autogen, config, executor, talk

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

IN, OUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture(params=[True, False], ids=["sdk on", "sdk off"], autouse=True)
def layers(request: pytest.FixtureRequest, instrument: Callable[..., None]) -> None:
    """Instrument with and without the SDK's instrumentor."""
    instrument(sdk=request.param)


def calls(emission: Emission) -> list[dict[str, Any]]:
    spans = [span for span in emission.spans if span.name.startswith("chat")]
    return [dict(span.attributes or {}) for span in spans]


def reported(emission: Emission) -> list[tuple[Any, Any]]:
    return [(call.get(IN), call.get(OUT)) for call in calls(emission)]


def billed(model: ScriptedModel) -> list[tuple[Any, Any]]:
    return [
        (entry.input_tokens, entry.output_tokens) if entry.input_tokens else (None, None)
        for entry in model.ledger.entries
    ]


def test_a_chat(model: ScriptedModel, emission: Emission) -> None:
    first, second = agent("first", model), agent("second", model)
    talk(first, second, max_turns=2)
    assert reported(emission) == billed(model)
    agents = [s for s in emission.spans if s.name.startswith("invoke_agent")]
    assert [((s.attributes or {})[IN], (s.attributes or {})[OUT]) for s in agents] == billed(model)
    assert len(agents) == 3


def test_a_cached_response_has_no_span(model: ScriptedModel, emission: Emission) -> None:
    cache: Any = import_module("autogen.cache")
    client = autogen.OpenAIWrapper(**config(model))
    with cache.Cache.disk(cache_path_root=tempfile.mkdtemp()) as disk:
        for _ in range(2):
            client.create(messages=MESSAGES, cache=disk)
    assert reported(emission) == billed(model)
    assert len(reported(emission)) == 1


def test_each_configuration_that_is_tried_is_a_span(
    model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(400))
    first, second = config(model), config(model, model="gpt-4o")
    entries = [*first["config_list"], *second["config_list"]]
    client = autogen.OpenAIWrapper(config_list=entries, cache_seed=None)
    client.create(messages=MESSAGES)
    assert reported(emission) == billed(model)
    assert [(c["gen_ai.request.model"], c.get("error.type")) for c in calls(emission)] == [
        ("gpt-4o-mini", "openai.BadRequestError"),
        ("gpt-4o", None),
    ]


def test_the_attributes_of_a_call(model: ScriptedModel, emission: Emission) -> None:
    autogen.OpenAIWrapper(**config(model)).create(messages=MESSAGES)
    (entry,), (call,) = model.ledger.entries, calls(emission)
    assert call["server.address"] == "127.0.0.1"
    assert f":{call['server.port']}/" in model.openai_url
    general = {name: call[name] for name in call if not name.startswith(("server.", "openai."))}
    assert general == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": entry.response_id,
        "gen_ai.response.finish_reasons": ("stop",),
        IN: entry.input_tokens,
        OUT: entry.output_tokens,
    }


class CustomClient:
    """A custom client that derives from no class of AutoGen."""

    def __init__(self, config: Any, **options: Any) -> None:
        self.options = options

    def create(self, params: Any) -> Any:
        if params["messages"][-1]["content"] == "refuse":
            raise PermissionError("planted-secret")
        message = SimpleNamespace(content="hello", function_call=None, tool_calls=None)
        choice = SimpleNamespace(message=message, finish_reason="stop")
        usage = SimpleNamespace(prompt_tokens=3, completion_tokens=4)
        return SimpleNamespace(choices=[choice], model="own-1", usage=usage, cost=0)

    def message_retrieval(self, response: Any) -> list[Any]:
        return [choice.message.content for choice in response.choices]

    def cost(self, response: Any) -> float:
        return 0

    @staticmethod
    def get_usage(response: Any) -> dict[str, Any]:
        return {}


class SdkBackedClient(CustomClient):
    """A custom client that sends its requests by an SDK."""

    def create(self, params: Any) -> Any:
        return self.options["client"].create(messages=params["messages"])


CUSTOM_CONFIG = {
    "config_list": [{"model": "own", "model_client_cls": "CustomClient"}],
    "cache_seed": None,
}
SDK_BACKED_CONFIG = {
    "config_list": [{"model": "own", "model_client_cls": "SdkBackedClient"}],
    "cache_seed": None,
}


@pytest.mark.usefixtures("model")
def test_a_custom_client(emission: Emission) -> None:
    before = dict(vars(CustomClient))
    assistant = executor("assistant", llm_config=CUSTOM_CONFIG)
    assistant.register_model_client(model_client_cls=CustomClient)
    result = talk(executor(), assistant, max_turns=1)
    assert result.summary == "hello"
    assert calls(emission) == [
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "custom",
            "gen_ai.request.model": "own",
            "gen_ai.response.model": "own-1",
            "gen_ai.response.finish_reasons": ("stop",),
            IN: 3,
            OUT: 4,
        }
    ]
    with pytest.raises(PermissionError):
        talk(executor(), assistant, max_turns=1, message="refuse")
    assert calls(emission)[-1]["error.type"] == "PermissionError"
    assert "planted-secret" not in emission.texts()
    assert {
        name for name in vars(CustomClient) if vars(CustomClient)[name] is not before[name]
    } == {"create"}


def test_a_custom_client_over_an_sdk_is_counted_once(
    model: ScriptedModel, emission: Emission
) -> None:
    assistant = executor("assistant", llm_config=SDK_BACKED_CONFIG)
    client = autogen.OpenAIWrapper(**config(model))
    assistant.register_model_client(model_client_cls=SdkBackedClient, client=client)
    talk(executor(), assistant, max_turns=1)
    assert reported(emission) == billed(model)
    assert len(reported(emission)) == 1
