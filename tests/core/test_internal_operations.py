"""Operations in this process: their complete span, with and without content."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import toyagents
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.instrumentors import (
    ExecuteCode,
    ExecuteTool,
    InvokeAgent,
    InvokeWorkflow,
    Items,
    Operation,
    Patch,
    Step,
    Telemetry,
    step,
    wrapped,
)
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

SECRET = "planted-secret"
CAPTURE = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


def telemetry(emission: Emission, content: bool) -> Telemetry:
    settings = Settings.read(CAPTURE if content else {})
    return Telemetry("toy", settings=settings, **emission.providers)


def text_messages(role: str, text: str) -> list[dict[str, Any]]:
    return [{"role": role, "parts": [{"type": "text", "content": text}]}]


def response_messages(value: str) -> list[dict[str, Any]]:
    (message,) = text_messages("assistant", f"{value} {SECRET}")
    return [{**message, "finish_reason": "stop"}]


def explode(*_: Any) -> Any:
    raise AssertionError("disabled content was converted")


def attributes(emission: Emission) -> dict[str, Any]:
    """Return the attributes of the only span, with JSON decoded."""
    found = dict(emission.span.attributes or {})
    for name in found.keys() & CONTENT:
        found[name] = json.loads(str(found[name]))
    return found


CONTENT = {
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
}

INPUTS: dict[str, Any] = {
    "a list": text_messages("user", SECRET),
    "a function": lambda: text_messages("user", SECRET),
    "items": Items([SECRET], lambda text: text_messages("user", text)[0]),
}
Make = Callable[[Telemetry, Any, Any], Operation]
SCOPES: dict[str, tuple[Make, dict[str, Any]]] = {
    "agent": (
        lambda t, messages, output: InvokeAgent(t, "ada", input=messages, output=output),
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "ada"},
    ),
    "workflow": (
        lambda t, messages, output: InvokeWorkflow(t, "trip", input=messages, output=output),
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "trip"},
    ),
}
each_scope = pytest.mark.parametrize(("make", "first"), SCOPES.values(), ids=SCOPES)


@each_scope
@pytest.mark.parametrize("messages", INPUTS.values(), ids=INPUTS)
def test_request_and_response_are_on_the_span(
    make: Make, first: dict[str, Any], messages: Any, emission: Emission
) -> None:
    scope = make(telemetry(emission, True), messages, response_messages)
    assert scope.returned("sunny") == "sunny"
    assert attributes(emission) == {
        **first,
        "gen_ai.input.messages": text_messages("user", SECRET),
        "gen_ai.output.messages": response_messages("sunny"),
    }


@each_scope
def test_after_an_error_the_request_is_on_the_span(
    make: Make, first: dict[str, Any], emission: Emission
) -> None:
    make(telemetry(emission, True), text_messages("user", SECRET), explode).failed(LookupError())
    found = {"gen_ai.input.messages": text_messages("user", SECRET), "error.type": "LookupError"}
    assert attributes(emission) == {**first, **found}


@each_scope
def test_disabled_messages_are_not_touched(
    make: Make, first: dict[str, Any], emission: Emission
) -> None:
    make(telemetry(emission, False), explode, explode).returned(SECRET)
    assert attributes(emission) == first
    assert SECRET not in emission.texts()


# Tools.

TOOL: dict[str, Any] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "search",
    "gen_ai.tool.type": "function",
}


@pytest.mark.parametrize(("own", "expected"), [({}, "tool_calls"), ({"finish_reason": "x"}, "x")])
def test_an_agents_response_has_the_finish_reason_of_its_last_model_call(
    own: dict[str, Any], expected: str, emission: Emission
) -> None:
    """A message with its own finish reason keeps that."""
    (message,) = text_messages("assistant", "sunny")
    agent = InvokeAgent(telemetry(emission, True), "ada", output=lambda _: [{**message, **own}])
    agent.scope.add_inference(1, 2, ("tool_calls",))
    agent.returned("sunny")
    found = attributes(emission)
    assert found["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert found["gen_ai.output.messages"] == [{**message, "finish_reason": expected}]


class StreamedRun(InvokeAgent):
    """An agent whose text arrives in chunks."""

    __slots__ = ("_chunks",)

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(telemetry, "ada", output=lambda text: text_messages("assistant", text))
        self._chunks: list[str] = []

    def chunk(self, item: Any) -> None:
        self._chunks.append(item)

    def conclude(self) -> None:
        self.respond("".join(self._chunks))


class StreamedWorkflow(InvokeWorkflow):
    """A workflow with a result by then, however it ends."""

    __slots__ = ()

    def conclude(self) -> None:
        self.respond(text_messages("assistant", "sunny"))


ENDS: list[tuple[Callable[[Operation], None], str]] = [
    (lambda run: run.exhausted(None), "stop"),
    (lambda run: run.abandoned(), "error"),
    (lambda run: run.failed(LookupError()), "error"),
]


@pytest.mark.parametrize(("end", "reason"), ENDS, ids=["exhausted", "abandoned", "failed"])
def test_a_workflow_that_breaks_off_has_the_reason_error_too(
    end: Callable[[Operation], None], reason: str, emission: Emission
) -> None:
    run = StreamedWorkflow(telemetry(emission, True), "trip", output=list)
    end(run)
    (message,) = text_messages("assistant", "sunny")
    found = attributes(emission)["gen_ai.output.messages"]
    assert found == [{**message, "finish_reason": reason}]


@pytest.mark.parametrize(("end", "reason"), ENDS, ids=["exhausted", "abandoned", "failed"])
def test_a_response_that_breaks_off_has_the_reason_error(
    end: Callable[[Operation], None], reason: str, emission: Emission
) -> None:
    run = StreamedRun(telemetry(emission, True))
    for text in ("sun", "ny"):
        run.chunk(text)
    end(run)
    (message,) = text_messages("assistant", "sunny")
    found = attributes(emission)["gen_ai.output.messages"]
    assert found == [{**message, "finish_reason": reason}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"query": SECRET}, {"query": SECRET}),
        (json.dumps({"query": SECRET}), {"query": SECRET}),
        ({}, {}),
    ],
)
def test_a_tool_records_its_arguments_and_its_result(
    given: Any, expected: Any, emission: Emission
) -> None:
    tool = ExecuteTool(
        telemetry(emission, True), "search", arguments=given, result=lambda value: {"found": value}
    )
    tool.returned(SECRET)
    assert attributes(emission) == {
        **TOOL,
        "gen_ai.tool.call.arguments": expected,
        "gen_ai.tool.call.result": {"found": SECRET},
    }


def test_a_tool_without_a_conversion_records_no_result(emission: Emission) -> None:
    ExecuteTool(telemetry(emission, True), "search").returned(SECRET)
    assert attributes(emission) == TOOL


def test_a_tools_disabled_content_is_not_touched(emission: Emission) -> None:
    using = telemetry(emission, False)
    ExecuteTool(using, "search", arguments={"query": SECRET}, result=explode).returned(SECRET)
    assert attributes(emission) == TOOL
    assert SECRET not in emission.texts()


def test_a_tool_belongs_to_the_contexts_agent_by_default(emission: Emission) -> None:
    using = telemetry(emission, False)
    agent = InvokeAgent(using, "ada")
    for name in (None, "bob"):
        ExecuteTool(using, "search", agent_name=name, parent=agent.context).end()
    agent.end()
    assert [(span.attributes or {})["gen_ai.agent.name"] for span in emission.spans] == [
        *("ada", "bob"),
        "ada",
    ]
    assert agent.scope.tool_calls == 2


# Code.

CODE = {**TOOL, "gen_ai.tool.name": "code_execution", "gen_ai.tool.type": "extension"}
BLOCKS = [("python", f"print('{SECRET}')"), ("sh", "true")]


@pytest.mark.parametrize(("exit_code", "failed"), [(0, False), (None, False), (1, True)])
@pytest.mark.parametrize("content", [True, False])
def test_code_execution_records_the_code_the_output_and_a_failure(
    content: bool, exit_code: int | None, failed: bool, emission: Emission
) -> None:
    code = ExecuteCode(
        telemetry(emission, content), iter(BLOCKS), lambda value: (exit_code, f"{value} {SECRET}")
    )
    assert code.returned("done") == "done"
    listed = [{"language": language, "code": text} for language, text in BLOCKS]
    kept = {
        "gen_ai.tool.call.arguments": {"code_blocks": listed},
        "gen_ai.tool.call.result": {"result": f"done {SECRET}"},
    }
    error = {"error.type": "_OTHER"} if failed else {}
    assert attributes(emission) == {**CODE, **error, **(kept if content else {})}
    assert emission.span.status.status_code is (StatusCode.ERROR if failed else StatusCode.UNSET)
    assert emission.events == []
    assert (SECRET in emission.texts()) is content


def test_code_blocks_are_read_only_where_content_is_enabled(emission: Emission) -> None:
    def blocks() -> Any:
        yield explode()

    ExecuteCode(telemetry(emission, False), blocks(), lambda value: (0, value)).returned("done")
    assert attributes(emission) == CODE


# Steps.


@pytest.mark.parametrize(
    ("arguments", "name", "found"),
    [
        (("task",), "task", {"otel_agents.step.type": "task"}),
        (("node", "plan"), "node plan", {"otel_agents.step.type": "node"}),
        (("node", ""), "node", {"otel_agents.step.type": "node"}),
    ],
)
@pytest.mark.parametrize("number", [None, 0, 3])
def test_a_step_has_its_type_and_number(
    arguments: tuple[str, ...],
    name: str,
    found: dict[str, Any],
    number: int | None,
    emission: Emission,
) -> None:
    Step(telemetry(emission, False), *arguments, number=number).end()
    numbered = {} if number is None else {"otel_agents.step.number": number}
    assert (emission.span.name, emission.span.kind) == (name, SpanKind.INTERNAL)
    assert attributes(emission) == {**found, **numbered}
    assert emission.points() == {}


def test_a_step_has_its_count_and_outcome(emission: Emission) -> None:
    router = Step(telemetry(emission, False), "route", "check", number=2, count=3)
    router.set_outcome("again")
    router.end()
    assert attributes(emission) == {
        "otel_agents.step.type": "route",
        "otel_agents.step.number": 2,
        "otel_agents.step.count": 3,
        "otel_agents.step.outcome": "again",
    }


class RequestedContent(Sampler):
    """A sampler that drops everything, and keeps the attributes it got."""

    def __init__(self) -> None:
        self.names: list[tuple[str, dict[str, Any]]] = []

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        given = {
            **dict(zip(("parent", "trace", "name", "kind", "attributes"), args, strict=False)),
            **kwargs,
        }
        self.names.append((given["name"], dict(given["attributes"])))
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        return "asked"


def test_samplers_see_the_type_of_a_step() -> None:
    sampler = RequestedContent()
    emission = Emission(sampler)
    Step(telemetry(emission, False), "node", "plan", number=1).end()
    emission.close()
    expected = {"otel_agents.step.type": "node", "otel_agents.step.number": 1}
    assert sampler.names == [("node plan", expected)]


def test_a_patch_can_start_a_step(emission: Emission) -> None:
    row = Patch("toyagents:complete", step("human_input"))
    patches = PatchSet("toy", [row], telemetry(emission, False))
    patches.apply()
    assert toyagents.complete(SECRET) == f"asked {SECRET}"
    patches.undo()
    assert (emission.span.name, attributes(emission)) == (
        "human_input",
        {"otel_agents.step.type": "human_input"},
    )
    assert SECRET not in emission.texts()


def test_a_step_lasts_as_long_as_its_call(emission: Emission) -> None:
    using = telemetry(emission, False)

    def human_input() -> str:
        Step(using, "inside").end()
        return "answer"

    assert wrapped(human_input, using, step("human_input"))() == "answer"
    assert emission.tree() == ["human_input", "  inside"]
    assert emission.names == ["inside", "human_input"]


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        (InvokeWorkflow, "gen_ai.workflow.name"),
        (InvokeAgent, "gen_ai.agent.name"),
        (ExecuteTool, "gen_ai.tool.name"),
    ],
)
def test_a_long_name_is_shortened(kind: Any, attribute: str, emission: Emission) -> None:
    kind(telemetry(emission, False), "n" * 100_000).end()
    short = "n" * 255 + "…"
    assert attributes(emission)[attribute] == short
    assert emission.span.name.partition(" ")[2] == short


def test_a_long_name_of_a_step_is_shortened(emission: Emission) -> None:
    Step(telemetry(emission, False), "node", "n" * 257).end()
    Step(telemetry(emission, False), "node", "n" * 256).end()
    assert emission.names == ["node " + "n" * 255 + "…", "node " + "n" * 256]
