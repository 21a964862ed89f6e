"""Provider and host of a call, and which hosts get trace headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from google_calls import MODEL, VERSION, run_async
from header_laws import check_trace_headers

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

PROJECT: dict[str, Any] = {"vertexai": True, "credentials": Credentials("none"), "project": "p"}


def unreachable(**options: Any) -> genai.Client:
    """Return a client of the real service, whose requests fail before they are sent."""
    client = genai.Client(**options)

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionRefusedError

    sender: Any = client.models
    sender._api_client._request = refuse
    return client


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"api_key": "none"}, ("gcp.gemini", "generativelanguage.googleapis.com", 443)),
        (
            {**PROJECT, "location": "us-central1"},
            ("gcp.vertex_ai", "us-central1-aiplatform.googleapis.com", 443),
        ),
        (
            {"api_key": "none", "http_options": {"base_url": "http://gateway.example:8080/g/"}},
            ("gcp.gemini", "gateway.example", 8080),
        ),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_the_client_determines_provider_and_host(
    options: dict[str, Any], expected: tuple[str, str, int], emission: Emission
) -> None:
    with pytest.raises(ConnectionRefusedError):
        unreachable(**options).models.generate_content(model=MODEL, contents="hi")
    found = dict(emission.span.attributes or {})
    names = ("gen_ai.provider.name", "server.address", "server.port")
    assert tuple(found[name] for name in names) == expected


@pytest.mark.usefixtures("instrumented")
def test_a_request_may_have_a_host_of_its_own(model: ScriptedModel, emission: Emission) -> None:
    client = genai.Client(api_key="none")
    options = types.HttpOptions(base_url=model.base_url)
    config = types.GenerateContentConfig(http_options=options)
    client.models.generate_content(model=MODEL, contents="hi", config=config)
    found = dict(emission.span.attributes or {})
    assert (found["server.address"], found["server.port"]) == ("127.0.0.1", model.port)


def nothing() -> Any:
    return None


def a_dict() -> Any:
    return {"http_options": {"headers": {"x-mine": "kept"}}, "temperature": 1}


def in_json() -> Any:
    return {"httpOptions": {"headers": {"x-mine": "kept"}}}


def a_configuration() -> Any:
    options = types.HttpOptions(headers={"x-mine": "kept"})
    return types.GenerateContentConfig(http_options=options)


@pytest.mark.parametrize(
    ("setting", "sent"),
    [("", False), ("generativelanguage.googleapis.com", False), ("example.com, 127.*", True)],
)
@pytest.mark.parametrize(
    "configure",
    [nothing, a_dict, a_configuration, *[in_json] * (VERSION >= (2, 0))],  # 1.0 does not read it
)
def test_trace_headers_go_only_to_hosts_that_are_named(
    configure: Callable[[], Any],
    setting: str,
    sent: bool,
    client: genai.Client,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS=setting)
    config = configure()
    client.models.generate_content(model=MODEL, contents="hi", config=config)
    list(client.models.generate_content_stream(model=MODEL, contents="hi", config=config))

    async def use(client: Any) -> None:
        await client.models.generate_content(model=MODEL, contents="hi", config=config)

    run_async(model.base_url, use)
    client.models.embed_content(model="m", contents="hi")
    check_trace_headers(emission, model, sent)
    kept = None if config is None else "kept"
    assert [entry.headers.get("x-mine") for entry in model.ledger.entries] == [kept] * 3 + [None]
    assert config == configure()  # the caller's object is as it was


@pytest.mark.skipif(VERSION < (2, 0), reason="does not read this spelling")
def test_headers_are_added_to_a_dict_in_jsons_spelling(
    client: genai.Client, model: ScriptedModel, instrument: Callable[..., None]
) -> None:
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS="*")
    client.models.embed_content(model="m", contents="hi", config=in_json())
    (entry,) = model.ledger.entries
    assert entry.headers["x-mine"] == "kept"
    assert "traceparent" in entry.headers
