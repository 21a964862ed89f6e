"""Content is recorded as it was sent: later edits by the application are not recorded."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from conversations import executor, talk

from otel_agents.testing.emission import Emission

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
OWN = {"config_list": [{"model": "own", "model_client_cls": "Editing"}], "cache_seed": None}


class Editing:
    """A custom client that edits its request."""

    def __init__(self, config: Any, **options: Any) -> None:
        self.options = options

    def create(self, params: Any) -> Any:
        for message in params["messages"]:
            message["content"] = "EDITED"
        message = SimpleNamespace(content="hello", function_call=None, tool_calls=None)
        choice = SimpleNamespace(message=message, finish_reason="stop")
        usage = SimpleNamespace(prompt_tokens=3, completion_tokens=4)
        return SimpleNamespace(choices=[choice], model="own-1", usage=usage, cost=0)

    def message_retrieval(self, response: Any) -> list[Any]:
        return [choice.message.content for choice in response.choices]

    def cost(self, response: Any) -> float:
        return 0

    @staticmethod
    def get_usage(response: Any) -> dict[str, Any]:
        return {}


def test_edits_are_not_recorded(instrument: Callable[..., None], emission: Emission) -> None:
    instrument(**{CAPTURE: "SPAN_ONLY"})
    assistant = executor("assistant", llm_config=OWN)
    assistant.register_model_client(model_client_cls=Editing)
    message = {"content": "SENT", "role": "user"}

    def edit(*args: Any, **kwargs: Any) -> tuple[bool, None]:
        message["content"] = "EDITED"
        return False, None

    assistant.register_reply([object, None], edit, position=0)
    talk(executor(), assistant, message=message, max_turns=1)
    recorded = {
        span.name: str((span.attributes or {})["gen_ai.input.messages"]) for span in emission.spans
    }
    assert sorted(recorded) == ["chat own", "invoke_agent assistant", "invoke_workflow"]
    assert [name for name, text in recorded.items() if "EDITED" in text or "SENT" not in text] == []
