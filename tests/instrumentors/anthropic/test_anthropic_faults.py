"""Our error costs no span and raises nothing."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from anthropic_calls import VERSION
from failing_hooks import check_failing_hooks
from fault_laws import FaultLaws

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


class TestFaults(FaultLaws):
    """The laws for messages."""


if VERSION >= (0, 70):
    from anthropic import beta_tool

    @beta_tool
    def weather(city: str) -> str:
        """Return the weather."""
        return f"sunny in {city}"

    @pytest.mark.parametrize("stream", [False, True])
    def test_our_error_costs_no_span_of_a_runner(
        stream: bool, client: anthropic.Anthropic, model: ScriptedModel
    ) -> None:
        def converse() -> Any:
            model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]), "Sunny.")
            messages: Any = [{"role": "user", "content": "hi"}]
            runner: Any = client.beta.messages.tool_runner(
                model="m", max_tokens=9, messages=messages, tools=[weather], stream=stream
            )
            return [len(list(one)) if stream else one.content[0].type for one in runner]

        assert check_failing_hooks(AnthropicInstrumentor, converse) > 3
