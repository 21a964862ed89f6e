"""Targets: a renamed one is reported, other AWS calls are unseen, and everything is undone."""

from __future__ import annotations

import doctest
import pickle
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from bedrock_calls import BODIES, HAS_AIOBOTOCORE, client_of
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from renamed_targets import check_renamed

from otel_agents.instrumentors._core.calls import around
from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.instrumentors.bedrock._requests import STARTS
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


def test_every_renamed_target_is_reported() -> None:
    assert check_renamed(BedrockInstrumentor) == (5 if HAS_AIOBOTOCORE else 2)


def test_the_example_runs() -> None:
    (example,) = doctest.DocTestFinder(recurse=False).find(
        BedrockInstrumentor, "BedrockInstrumentor"
    )
    assert doctest.DocTestRunner().run(example) == (0, 4)


@contextmanager
def tables(model: ScriptedModel) -> Generator[Any]:
    """A client of another service, which responds without a server."""
    client = client_of(model.base_url, "dynamodb")

    def respond(request: Any, **kwargs: Any) -> AWSResponse:
        raw: Any = mock.Mock(stream=lambda: iter([b'{"TableNames": ["t"]}']))
        headers: Any = {}
        return AWSResponse(request.url, 200, headers, raw)

    client.meta.events.register("before-send.dynamodb", respond)
    yield client
    client.close()


@pytest.mark.usefixtures("instrumented")
def test_any_other_call_of_aws_is_unseen(model: ScriptedModel, emission: Emission) -> None:
    with tables(model) as client, mock.patch.object(around, "begin", side_effect=AssertionError):
        assert client.list_tables()["TableNames"] == ["t"]
    assert (emission.spans, emission.points()) == ((), {})


@pytest.mark.usefixtures("instrumented")
def test_an_operation_of_the_same_name_is_not_of_a_model(
    model: ScriptedModel, emission: Emission
) -> None:
    """Services share names; nothing of the call is read."""
    with tables(model) as client:
        for _, name in STARTS:
            with pytest.raises(Exception, match=name):
                client._make_api_call(name, {})
    assert emission.spans == ()


@pytest.mark.usefixtures("instrumented")
def test_wrong_arguments_raise_as_before(client: Any) -> None:
    with pytest.raises(TypeError):
        client._make_api_call()


def test_everything_is_undone(instrument: Any) -> None:
    targets = ("_make_api_call", "_convert_to_request_dict")
    before = [vars(BaseClient)[name] for name in targets]
    instrument()
    assert all(vars(BaseClient)[name] is not it for name, it in zip(targets, before, strict=True))
    replaced = vars(BaseClient)["_make_api_call"]
    assert pickle.loads(pickle.dumps(replaced)) is replaced
    BedrockInstrumentor().uninstrument()
    assert [vars(BaseClient)[name] for name in targets] == before


def test_a_client_that_was_used_before_is_recorded(
    client: Any, model: ScriptedModel, emission: Emission, instrument: Any
) -> None:
    invoke = client.invoke_model
    invoke(**BODIES[0].arguments)["body"].read()
    instrument()
    invoke(**BODIES[0].arguments)["body"].read()
    assert (len(emission.spans), model.ledger.requests) == (1, 2)
