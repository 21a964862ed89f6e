"""AutoGen's cache of responses: a hit is no model call."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, LENIENT, user_messages

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

cache: Any = import_module("autogen_ext.models.cache")
core: Any = import_module("autogen_core")


@pytest.mark.parametrize("sdk", [True, False])
@pytest.mark.parametrize("streams", [False] if LENIENT else [False, True])
def test_a_hit_is_no_call(
    sdk: bool,
    streams: bool,
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
    balanced: Callable[[], None],
) -> None:
    instrument(sdk=sdk)
    caching = cache.ChatCompletionCache(client, core.InMemoryStore())

    async def respond() -> Any:
        if streams:
            return [item async for item in caching.create_stream(user_messages("go"), **LENIENT)][
                -1
            ]
        return await caching.create(user_messages("go"))

    async def twice() -> list[bool]:
        return [(await respond()).cached for _ in range(2)]

    assert run(twice()) == [False, True]
    assert emission.names == [CHAT]
    assert model.ledger.requests == 1
    balanced()
