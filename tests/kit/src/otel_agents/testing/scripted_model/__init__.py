"""A scripted local model: an HTTP server for tests, benchmarks and the demo.

It implements providers' APIs, returns scripted responses and keeps a ledger of what it billed:

    from openai import OpenAI
    from otel_agents.testing.scripted_model import Response, Failure, ScriptedModel, ToolCall

    with ScriptedModel() as model, OpenAI(base_url=model.openai_url, api_key="none") as client:
        model.script(Response("Sunny."), Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]))
        messages = [{"role": "user", "content": "How is the weather?"}]
        completion = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        assert completion.choices[0].message.content == "Sunny."
        assert completion.usage.prompt_tokens == model.ledger.input_tokens

Every response has unique ids and token counts. Nothing leaves the machine. A provider is one
module with a table of `Endpoint` rows, listed in `model.ENDPOINTS`.
"""

from __future__ import annotations

from otel_agents.testing.scripted_model.dialect import ModelRequest, Tool
from otel_agents.testing.scripted_model.ledger import Bill, Entry, Kind, Ledger, Status
from otel_agents.testing.scripted_model.model import ScriptedModel, nothing_listening
from otel_agents.testing.scripted_model.reactions import (
    DEFAULT_TEXT,
    Abort,
    Disconnect,
    ErrorEvent,
    Failure,
    Hold,
    MalformedEvent,
    Reaction,
    Response,
    ToolCall,
    Usage,
)
from otel_agents.testing.scripted_model.rules import default_response

__all__ = [
    "DEFAULT_TEXT",
    "Abort",
    "Bill",
    "Disconnect",
    "Entry",
    "ErrorEvent",
    "Failure",
    "Hold",
    "Kind",
    "Ledger",
    "MalformedEvent",
    "ModelRequest",
    "Reaction",
    "Response",
    "ScriptedModel",
    "Status",
    "Tool",
    "ToolCall",
    "Usage",
    "default_response",
    "nothing_listening",
]
