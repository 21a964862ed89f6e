"""Content is recorded as it was sent: later edits of the application do not change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from crews import agent, crew, crewai, task, tool

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@pytest.fixture(autouse=True)
def with_content(instrument: Callable[..., None]) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})


def input_of(emission: Emission, name: str) -> str:
    """Return the input of the first span with this name."""
    attributes = next(span.attributes or {} for span in emission.spans if span.name == name)
    return str(attributes.get("gen_ai.input.messages"))


def test_the_inputs_of_a_crew(llm: Any, emission: Emission) -> None:
    inputs = {"topic": "SENT"}

    def edit(output: Any) -> None:
        inputs["topic"] = "EDITED"

    crew(task(agent(llm, "Writer"), description="on {topic}", callback=edit)).kickoff(inputs=inputs)
    assert "SENT" in input_of(emission, "invoke_workflow")
    assert "EDITED" not in emission.texts()


def test_the_messages_of_a_model_class(emission: Emission) -> None:
    class Editing(crewai.BaseLLM):
        def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
            messages[-1]["content"] = "EDITED"
            messages.append({"role": "user", "content": "EDITED"})
            return "Thought: I know\nFinal Answer: it"

    crew(task(agent(Editing(model="own-1"), "Writer"), description="SENT")).kickoff()
    assert "SENT" in input_of(emission, "chat own-1")
    assert "EDITED" not in input_of(emission, "chat own-1")


def test_the_arguments_of_a_tool(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    def sort(names: list[str]) -> str:
        """Sort them."""
        names[:] = ["EDITED"]
        return "sorted"

    call = ToolCall("sort", {"names": ["SENT"]})
    model.script(Response(tool_calls=[call]), Response("Thought: so.\nFinal Answer: it"))
    crew(task(agent(llm, "Sorter", tools=[tool(sort)]))).kickoff()
    (span,) = [span for span in emission.spans if span.name == "execute_tool sort"]
    arguments = (span.attributes or {})["gen_ai.tool.call.arguments"]
    assert arguments == '{"names":["SENT"]}'
