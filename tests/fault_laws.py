"""Our error costs no span and raises nothing, whatever becomes of the request."""

from __future__ import annotations

from typing import Any

import pytest
from failing_hooks import check_failing_hooks
from stainless_calls import Sdk

from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel

__all__ = ["FaultLaws"]


class FaultLaws:
    """Laws of an SDK that Stainless generates; the suite has the fixtures of `stainless_fixtures`."""

    @pytest.mark.parametrize(("stream", "refused"), [(False, False), (False, True), (True, False)])
    def test_our_error_costs_no_span(
        self,
        stream: bool,
        refused: bool,
        sdk: Sdk,
        client: Any,
        model: ScriptedModel,
        instrumentor: type[AgentInstrumentor],
    ) -> None:
        def converse() -> Any:
            model.script_by(lambda request: Failure(401) if refused else Response("answer"))
            try:
                response = sdk.send(client, stream=stream)
            except sdk.error("AuthenticationError") as error:
                assert refused
                return type(error)
            assert not refused
            return len(list(response)) if stream else "answer" in response.model_dump_json()

        assert converse()
        assert check_failing_hooks(instrumentor, converse) > 3
