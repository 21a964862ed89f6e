"""Host and port of an endpoint."""

from __future__ import annotations

import pytest

from otel_agents.instrumentors._dialects.servers import server_of


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://api.example/v1/", ("api.example", 443)),
        ("http://127.0.0.1:8080/v1", ("127.0.0.1", 8080)),
        ("http://[::1]/v1", ("::1", 80)),
        ("http://host:wrong", None),
        ("", None),
        (None, None),
    ],
)
def test_a_url(url: object, server: object) -> None:
    assert server_of(url) == server
