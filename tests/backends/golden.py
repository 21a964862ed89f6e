"""The golden run: an application under ``opentelemetry-instrument``, and its trace."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from instrumented import instrumented

from otel_agents.distro.demo.programs import Program, client
from otel_agents.distro.demo.scripts import TRIP, TRIP_TEXT
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.registry import CONTENT
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "CONVERSATION",
    "FINAL_TEXT",
    "GOLDEN",
    "PROMPT",
    "Found",
    "Node",
    "Run",
    "lines",
    "run",
    "tree",
]

PROGRAM: Final = Program(
    Path(__file__).parents[2] / "examples" / "travel_planner.py", lambda model: model.script(*TRIP)
)
CONVERSATION: Final = "trip-to-bern"
PROMPT: Final = "How do I get from Milan to Bern on Friday, and how is the weather there?"
FINAL_TEXT: Final = TRIP_TEXT
_AGENT: Final = "invoke_agent travel-planner"
_MODEL: Final = "gpt-4o-mini"


@dataclass(frozen=True)
class Node:
    """One span: its position in the tree and its content, without what differs between runs."""

    name: str
    kind: str
    parent: str | None
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    error: bool = False


@dataclass(frozen=True)
class Found:
    """A span as a backend returns it; ``start`` is in any unit."""

    id: str
    parent_id: str | None
    start: float
    node: Node


@dataclass(frozen=True)
class Run:
    """The traces of the run in their order, its output and its bill."""

    trace_ids: tuple[str, ...]
    output: str
    input_tokens: int
    output_tokens: int

    @property
    def trace_id(self) -> str:
        """The last trace: before it an application may ingest documents, say."""
        return self.trace_ids[-1]


def run(endpoint: str, program: Program = PROGRAM, **variables: str) -> Run:
    """Run a program once, with all signals sent to ``endpoint``."""
    with ScriptedModel() as model:
        program.prepare(model)
        given = {
            **client(model),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_TRACES_EXPORTER": "tree,otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            **variables,
        }
        done = instrumented(program.path, given, installed=True)
        assert done.status == 0, done.err
        drawn = re.findall(r"· trace ([0-9a-f]{32})", done.err)
        trace_ids = tuple(dict.fromkeys(drawn))  # a process that it started draws its part, too
        ledger = model.ledger
        return Run(trace_ids, done.out.strip(), ledger.input_tokens, ledger.output_tokens)


def tree(spans: Iterable[Found]) -> tuple[Node, ...]:
    """Return the spans by start time, each with the name of its parent."""
    ordered = sorted(spans, key=lambda span: (span.start, span.parent_id is not None))
    names = {span.id: span.node.name for span in ordered}
    return tuple(
        Node(
            span.node.name,
            span.node.kind,
            None if span.parent_id is None else names[span.parent_id],
            {name: _settled(name, value) for name, value in span.node.attributes.items()},
            span.node.error,
        )
        for span in ordered
    )


def lines(spans: Iterable[Found]) -> list[str]:
    """Return the spans as in `crew_trace`, siblings by start time."""
    children: dict[str | None, list[Found]] = {}
    for span in sorted(spans, key=lambda span: span.start):
        children.setdefault(span.parent_id, []).append(span)

    def below(parent: str | None, indent: str) -> Iterable[str]:
        for span in children.get(parent, []):
            tokens = (span.node.attributes.get(name) for name in _TOKENS)
            usage = (
                [str(0 if n is None else n) for n in tokens]
                if _TOKENS[0] in span.node.attributes
                else []
            )
            yield indent + " ".join([span.node.name, *usage, *(["✗"] if span.node.error else [])])
            yield from below(span.id, indent + "  ")

    return list(below(None, ""))


_TOKENS: Final = (attr.GEN_AI_USAGE_INPUT_TOKENS, attr.GEN_AI_USAGE_OUTPUT_TOKENS)


def _settled(name: str, value: Any) -> Any:
    """Return a value without the ids of this run; content as parsed JSON."""
    if name in CONTENT:
        text = value if isinstance(value, str) else json.dumps(value)
        return json.loads(re.sub(r"call_[0-9a-f]+", "call", text))
    settle = _VARYING.get(name)
    return settle(value) if settle else value


_VARYING: Final[Mapping[str, Callable[[Any], Any]]] = {
    attr.GEN_AI_RESPONSE_ID: lambda value: re.sub("[0-9a-f]{8,}$", "ID", str(value)),
    attr.SERVER_PORT: lambda value: type(value)(),
}


def _text(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _call(name: str, **arguments: str) -> dict[str, Any]:
    return {"type": "tool_call", "id": "call", "name": name, "arguments": arguments}


def _calls(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "parts": list(calls)}


def _result(text: str) -> dict[str, Any]:
    response = {"type": "tool_call_response", "id": "call", "response": text}
    return {"role": "tool", "parts": [response]}


def _chat(
    inputs: list[Any], output: Any, tokens: tuple[int, int], reason: str, **details: int
) -> Node:
    return Node(
        f"chat {_MODEL}",
        "CLIENT",
        _AGENT,
        {
            attr.GEN_AI_OPERATION_NAME: "chat",
            attr.GEN_AI_PROVIDER_NAME: "openai",
            attr.GEN_AI_REQUEST_MODEL: _MODEL,
            attr.SERVER_ADDRESS: "127.0.0.1",
            attr.SERVER_PORT: 0,
            attr.GEN_AI_CONVERSATION_ID: CONVERSATION,
            attr.OPENAI_API_TYPE: "chat_completions",
            attr.OPENAI_RESPONSE_SERVICE_TIER: "default",
            attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: "fp_scripted",
            attr.GEN_AI_USAGE_INPUT_TOKENS: tokens[0],
            attr.GEN_AI_USAGE_OUTPUT_TOKENS: tokens[1],
            attr.GEN_AI_RESPONSE_FINISH_REASONS: [reason],
            attr.GEN_AI_RESPONSE_ID: "chatcmpl-ID",
            attr.GEN_AI_RESPONSE_MODEL: "gpt-4o-mini-2024-07-18",
            attr.GEN_AI_INPUT_MESSAGES: inputs,
            attr.GEN_AI_OUTPUT_MESSAGES: [{**output, "finish_reason": reason}],
            attr.GEN_AI_TOOL_DEFINITIONS: [
                {"type": "function", "name": "get_weather"},
                {"type": "function", "name": "find_trains"},
            ],
            **{_DETAILS[name]: value for name, value in details.items()},
        },
    )


_DETAILS: Final = {
    "cached": attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    "reasoning": attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
}


def _tool(name: str, arguments: dict[str, str], result: str | None) -> Node:
    done = {attr.GEN_AI_TOOL_CALL_RESULT: {"result": result}}
    return Node(
        f"execute_tool {name}",
        "INTERNAL",
        _AGENT,
        {
            attr.GEN_AI_OPERATION_NAME: "execute_tool",
            attr.GEN_AI_TOOL_TYPE: "function",
            attr.GEN_AI_AGENT_NAME: "travel-planner",
            attr.GEN_AI_TOOL_NAME: name,
            attr.GEN_AI_CONVERSATION_ID: CONVERSATION,
            attr.GEN_AI_TOOL_CALL_ARGUMENTS: arguments,
            **({attr.ERROR_TYPE: "LookupError"} if result is None else done),
        },
        error=result is None,
    )


_WRONG: Final = {"origin": "Milan", "destination": "Bern"}
_RIGHT: Final = {"origin": "Milano", "destination": "Bern"}
_WEATHER, _TRAINS = "Friday in Bern: sunny, 21 degrees", "Milano 09:25, Bern 12:23"
_FIRST = _calls(_call("get_weather", city="Bern"), _call("find_trains", **_WRONG))
_SECOND = _calls(_call("find_trains", **_RIGHT))
_INPUT = [
    _text("user", PROMPT),
    *(_FIRST, _result(_WEATHER), _result("error: no station Milan")),
    *(_SECOND, _result(_TRAINS)),
]

GOLDEN: Final = (
    Node(
        _AGENT,
        "INTERNAL",
        None,
        {
            attr.GEN_AI_OPERATION_NAME: "invoke_agent",
            attr.GEN_AI_AGENT_NAME: "travel-planner",
            attr.GEN_AI_CONVERSATION_ID: CONVERSATION,
            attr.GEN_AI_REQUEST_MODEL: _MODEL,
            attr.GEN_AI_USAGE_INPUT_TOKENS: 1560,
            attr.GEN_AI_USAGE_OUTPUT_TOKENS: 133,
            attr.GEN_AI_RESPONSE_FINISH_REASONS: ["stop"],
            attr.GEN_AI_INPUT_MESSAGES: [_text("user", PROMPT)],
            attr.GEN_AI_OUTPUT_MESSAGES: [
                {**_text("assistant", FINAL_TEXT), "finish_reason": "stop"}
            ],
        },
    ),
    _chat(_INPUT[:1], _FIRST, (412, 58), "tool_calls"),
    _tool("get_weather", {"city": "Bern"}, _WEATHER),
    _tool("find_trains", _WRONG, None),
    _chat(_INPUT[:4], _SECOND, (530, 31), "tool_calls", cached=384),
    _tool("find_trains", _RIGHT, _TRAINS),
    _chat(_INPUT, _text("assistant", FINAL_TEXT), (618, 44), "stop", cached=512, reasoning=24),
)
"""The trace with content; tests derive smaller ones from it."""
