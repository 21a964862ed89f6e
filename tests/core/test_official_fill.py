"""We fill in only what an official call does not know itself."""

from __future__ import annotations

from types import SimpleNamespace

from otel_agents.instrumentors._core.context import official


def test_an_existing_value_wins() -> None:
    data = SimpleNamespace(
        request_model="theirs",
        usage_input_tokens=0,
        usage_output_tokens=None,
        response_finish_reasons=None,
        server_address=None,
    )
    official.fill(
        data,
        {
            "gen_ai.request.model": "ours",
            "gen_ai.usage.input_tokens": 7,
            "gen_ai.usage.output_tokens": 3,
            "gen_ai.response.finish_reasons": ("stop",),
            "server.address": "h",
            "otel_agents.unknown": "no field of theirs",
        },
    )
    assert vars(data) == {
        "request_model": "theirs",
        "usage_input_tokens": 0,
        "usage_output_tokens": 3,
        "response_finish_reasons": ["stop"],
        "server_address": "h",
    }
