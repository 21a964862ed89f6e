"""The handler: one more on the root dispatcher, removed exactly."""

from __future__ import annotations

import copy
import pickle
from importlib import import_module
from typing import Any, ClassVar

import pytest
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import (
    BaseSpanHandler,
    NullSpanHandler,
    SimpleSpanHandler,
)
from llama_index_parts import CHAT, add, index, talk

from otel_agents.instrumentors.llama_index import LlamaIndexInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

models: Any = import_module("llama_index.llms.openai")


def root_dispatcher() -> Any:
    """Return the root dispatcher; its types are partly unknown."""
    module: Any = import_module("llama_index.core.instrumentation")
    return module.get_dispatcher()


def names() -> list[str]:
    return [type(handler).__name__ for handler in root_dispatcher().span_handlers]


def test_the_handler_is_removed(emission: Emission) -> None:
    before, event_handlers = names(), list(root_dispatcher().event_handlers)
    assert "RunHandler" not in before
    with instrumenting(emission, LlamaIndexInstrumentor()) as instrument:
        instrument()
        assert names() == [*before, "RunHandler"]
    assert names() == before
    assert root_dispatcher().event_handlers == event_handlers
    add(a=1, b=2)
    assert emission.tree() == []


def test_methods_are_restored(emission: Emission) -> None:
    kind: Any = models.OpenAI
    before: dict[str, Any] = dict(kind.__dict__)
    assert "stream_chat" in before
    with instrumenting(emission, LlamaIndexInstrumentor()) as instrument:
        instrument()
    after: dict[str, Any] = dict(kind.__dict__)
    assert after == before


@pytest.mark.usefixtures("instrumented")
def test_the_handler_is_one_of_llama_index() -> None:
    base: Any = BaseSpanHandler
    handler: Any = root_dispatcher().span_handlers[-1]
    assert type(handler).__name__ == "RunHandler"
    assert issubclass(type(handler), base)
    assert copy.copy(handler) is handler
    assert copy.deepcopy(handler) is handler
    assert type(pickle.loads(pickle.dumps(handler))) is NullSpanHandler
    assert handler.open_spans == {}


@pytest.mark.usefixtures("instrumented")
def test_handlers_of_the_application_work_as_before(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    class Events(BaseEventHandler):
        seen: ClassVar[list[str]] = []

        @classmethod
        def class_name(cls) -> str:
            return "Events"

        def handle(self, event: Any, **kwargs: Any) -> None:
            self.seen.append(type(event).__name__)

    spans, events, root = SimpleSpanHandler(), Events(), root_dispatcher()
    root.add_span_handler(spans)
    root.add_event_handler(events)
    try:
        talk(llm).chat("Hi")
    finally:
        root.span_handlers.remove(spans)
        root.event_handlers.remove(events)
    assert len(spans.completed_spans) > 1
    assert "LLMChatEndEvent" in events.seen
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]


@pytest.mark.usefixtures("instrumented")
def test_wrong_arguments_fail_as_before(llm: Any, model: ScriptedModel) -> None:
    engine: Any = index(model).as_query_engine(llm=llm)
    with pytest.raises(TypeError):
        engine.query()
    with pytest.raises(TypeError):
        llm.chat()
