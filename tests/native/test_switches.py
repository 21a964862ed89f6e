"""Libraries' own switches of content follow ours, and the user's wins; the application's processors see."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from instrumented import DISABLED, instrumented, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import Response, ScriptedModel

CANARY = "canary-7c1f"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
OPT_IN = "OTEL_SEMCONV_STABILITY_OPT_IN"
SEEN = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    mine = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(mine))
{work}
    spans = [span.to_json() for span in mine.get_finished_spans()]
    assert spans
    print(any("canary" + "-7c1f" in span for span in spans))
"""
STRANDS = """
    from strands import Agent
    from strands.models.openai import OpenAIModel

    Agent(model=OpenAIModel(model_id="gpt-4o-mini"), callback_handler=None)("How is canary-7c1f?")
"""
LITELLM = """
    import litellm
    from litellm.integrations.opentelemetry import OpenTelemetry

    callback = OpenTelemetry()
    messages = [{"role": "user", "content": "How is canary-7c1f?"}]
    litellm.callbacks = [callback]
    litellm.completion(model="openai/gpt-4o-mini", messages=messages)
    from litellm.litellm_core_utils.thread_pool_executor import executor
    executor.shutdown(wait=True)
"""


def seen(work: str, tmp_path: Path, model: ScriptedModel, **variables: str) -> tuple[str, bool]:
    """Return whether the application's processor saw the prompt, and whether it left."""
    model.script(Response("It is sunny."))
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, SEEN.format(work=work)),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OPENAI_BASE_URL": model.openai_url,
                "OPENAI_API_KEY": "none",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                **variables,
            },
        )
    assert done.status == 0, done.err
    return done.out.splitlines()[-1], CANARY in str(receiver.requests)


def strands_has_a_switch() -> bool:
    if find_spec("strands") is None:
        return False
    tracer: Any = import_module("strands.telemetry.tracer")
    return hasattr(tracer.Tracer, "_parse_semconv_opt_in")


@pytest.mark.skipif(not strands_has_a_switch(), reason="it is not installed, or has no switch")
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("False", False)),
        ({CAPTURE: "SPAN_ONLY"}, ("True", True)),
        ({OPT_IN: "gen_ai_latest_experimental"}, ("True", False)),
        ({DISABLED: "strands"}, ("True", False)),
    ],
    ids=str,
)
def test_strands(
    variables: dict[str, str], expected: tuple[str, bool], tmp_path: Path, model: ScriptedModel
) -> None:
    assert seen(STRANDS, tmp_path, model, **variables) == expected


CONFIGURED = LITELLM.replace(
    "OpenTelemetry()", 'OpenTelemetry(OpenTelemetryConfig(capture_message_content="SPAN_ONLY"))'
).replace("import OpenTelemetry", "import OpenTelemetry, OpenTelemetryConfig")


@pytest.mark.skipif(find_spec("litellm") is None, reason="it is not installed")
@pytest.mark.parametrize(
    ("work", "variables", "expected"),
    [
        (LITELLM, {}, ("False", False)),
        (LITELLM, {CAPTURE: "SPAN_ONLY"}, ("True", True)),
        (CONFIGURED, {}, ("True", False)),
        (LITELLM, {DISABLED: "litellm"}, ("True", False)),
    ],
    ids=["default", "content", "configured", "disabled"],
)
def test_the_callback_of_litellm(
    work: str,
    variables: dict[str, str],
    expected: tuple[str, bool],
    tmp_path: Path,
    model: ScriptedModel,
) -> None:
    assert seen(work, tmp_path, model, **variables) == expected


def litellm_names_operations() -> bool:
    try:
        return find_spec("litellm.integrations.opentelemetry_utils.gen_ai_semconv") is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.skipif(not litellm_names_operations(), reason="it is not installed, or too old")
@pytest.mark.parametrize("capture", ["NO_CONTENT", "SPAN_ONLY"])
def test_the_callback_of_litellm_names_its_operations_without_content_too(
    capture: str, tmp_path: Path, model: ScriptedModel
) -> None:
    model.script(Response("It is sunny."))
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, LITELLM),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OPENAI_BASE_URL": model.openai_url,
                "OPENAI_API_KEY": "none",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "OTEL_AGENTS_PREFER": "theirs",
                CAPTURE: capture,
            },
        )
    assert done.status == 0, done.err
    (span,) = [one for one in receiver.spans if one.name == "litellm_request"]
    named = {pair.key: pair.value.string_value for pair in span.attributes}
    assert named["gen_ai.operation.name"] == "chat"
