"""Structured prediction: a call of a model; tools that are classes, and parsers, have no spans."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.llms import ChatMessage
from llama_index_parts import CHAT

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

programs: Any = import_module("llama_index.core.program")  # its types are partly unknown
Loop = asyncio.AbstractEventLoop
HI = [ChatMessage(role="user", content="Hi")]


class Color(BaseModel):
    """A color."""

    name: str


SHAPES: dict[str, Callable[[Any, Loop], Any]] = {
    "predict": lambda model, loop: model.structured_predict(Color, PromptTemplate("Which?")),
    "apredict": lambda model, loop: loop.run_until_complete(apredict(model)),
    "chat": lambda model, loop: model.as_structured_llm(Color).chat(HI).raw,
    "program": lambda model, loop: programs.LLMTextCompletionProgram.from_defaults(
        output_cls=Color, prompt_template_str="Which?", llm=model
    )(),
    "function": lambda model, loop: function(model)(),
    "afunction": lambda model, loop: loop.run_until_complete(afunction(model)),
}


def function(model: Any) -> Any:
    """Return a program that offers the class to the model as a tool."""
    program = programs.FunctionCallingProgram
    return program.from_defaults(output_cls=Color, prompt_template_str="Which?", llm=model)


async def afunction(model: Any) -> Any:
    return await function(model).acall()


async def apredict(model: Any) -> Any:
    return await model.astructured_predict(Color, PromptTemplate("Which?"))


@pytest.mark.parametrize("way", SHAPES.values(), ids=SHAPES)
def test_a_structured_prediction_is_one_call(
    way: Callable[[Any, Loop], Any],
    llm: Any,
    loop: Loop,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    def reaction(request: Any) -> Response:
        offered = [tool.name for tool in request.tools]
        if offered:
            return Response(tool_calls=[ToolCall(offered[0], {"name": "red"})])
        return Response(json.dumps({"name": "red"}))

    model.script_by(reaction)
    assert way(llm, loop).name == "red"
    assert emission.tree() == [CHAT]
