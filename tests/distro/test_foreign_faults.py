"""Third-party code that raises anywhere: the application gets its results and its telemetry.

Exceptions that the SDK itself passes to the application, such as a processor's at a span that the
application started, are not ours; an instrumented call returns in any case.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
from instrumented import Finished, instrumented, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import Response, ScriptedModel

PROGRAM = """
import logging
import openai
from opentelemetry import trace
from opentelemetry._logs import LogRecord, get_logger, get_logger_provider
from opentelemetry.trace import get_tracer_provider
from foreign import *

before()
client = openai.OpenAI(max_retries=0)
asked = [{"role": "user", "content": "How is it?"}]
for _ in range(2):
    print(client.chat.completions.create(model="gpt-4o", messages=asked).choices[0].message.content)
stream = client.chat.completions.create(model="gpt-4o", messages=asked, stream=True)
print("".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices))
print("done")
"""

FOREIGN = """
import logging
import sys
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import IdGenerator, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import get_tracer_provider

def fail(*args, **kwargs):
    raise ERROR("planted-secret")

def before(): ...

class Processor(SpanProcessor):
    def __init__(self, *names):
        for name in names:
            setattr(self, name, fail)

class Logs(LogRecordProcessor):
    on_emit = emit = shutdown = force_flush = fail

class Exporter(SpanExporter):
    export = shutdown = force_flush = fail

class Unmade(SpanExporter):
    __init__ = export = shutdown = fail

class Sampling(Sampler):
    should_sample = fail
    def get_description(self): return ""

def sampling(argument):
    return Sampling()

class Ids(IdGenerator):
    generate_span_id = generate_trace_id = fail

class Handler(logging.Handler):
    emit = fail

class Propagator:
    inject = extract = fail
    fields = frozenset()
"""

KINDS = MappingProxyType(
    {
        "processor starts": "get_tracer_provider().add_span_processor(Processor('on_start'))",
        "processor ends": "get_tracer_provider().add_span_processor(Processor('on_end'))",
        "processor flushes and shuts down": (
            "get_tracer_provider().add_span_processor(Processor('force_flush', 'shutdown'))"
        ),
        "log processor": "get_logger_provider().add_log_record_processor(Logs())",
        "log handler": "logging.getLogger().addHandler(Handler())",
        "propagator": (
            "__import__('opentelemetry.propagate').propagate.set_global_textmap(Propagator())"
        ),
    }
)
SETTINGS = MappingProxyType(
    {
        "log handler": {
            "OTEL_TRACES_EXPORTER": "foreign_exporter,otlp"
        },  # so that a line is logged
        "exporter": {"OTEL_TRACES_EXPORTER": "foreign_exporter,otlp"},
        "exporter that cannot be made": {"OTEL_TRACES_EXPORTER": "foreign_unmade,otlp"},
        "sampler": {"OTEL_TRACES_SAMPLER": "foreign_sampler"},
        "id generator": {"OTEL_PYTHON_ID_GENERATOR": "foreign_ids"},
    }
)
POINTS = """
[opentelemetry_traces_exporter]
foreign_exporter = foreign:Exporter
foreign_unmade = foreign:Unmade
[opentelemetry_traces_sampler]
foreign_sampler = foreign:sampling
[opentelemetry_id_generator]
foreign_ids = foreign:Ids
"""
BEGINS = ("processor starts", "sampler", "id generator")
"""What raises where a span starts: that span is dropped, and nothing else."""


def run(
    tmp_path: Path, receiver: Receiver, kind: str, error: str, settings: dict[str, str]
) -> Finished:
    module = FOREIGN.replace("ERROR", error)
    if kind in KINDS:
        module += f"\ndef before():\n    {KINDS[kind]}\n"
    script(tmp_path, module, "foreign.py")
    info = tmp_path / "foreign-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    with ScriptedModel() as model:
        model.script(Response("Sunny."), Response("Rainy."), Response("Windy."))
        given = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_AGENTS_PROPAGATE_HEADERS": "*",
            "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
            "PYTHONPATH": str(tmp_path),
        }
        return instrumented(script(tmp_path, PROGRAM), {**given, **settings}, installed=True)


ON_OUR_THREAD = ("exporter", "processor flushes and shuts down")
"""Where we must keep an exit in; on other threads the application may mean it."""


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        *((kind, "RuntimeError") for kind in dict.fromkeys((*KINDS, *SETTINGS))),
        *((kind, "SystemExit") for kind in ON_OUR_THREAD),
    ],
)
def test_the_application_has_its_results_and_its_data(
    tmp_path: Path, kind: str, error: str
) -> None:
    with Receiver() as receiver:
        done = run(tmp_path, receiver, kind, error, dict(SETTINGS.get(kind, {})))
    assert (done.out, done.status) == ("Sunny.\nRainy.\nWindy.\ndone\n", 0)
    assert receiver.span_names == ([] if kind in BEGINS else ["chat gpt-4o"] * 3)
    assert "gen_ai.client.operation.duration" in receiver.metric_names
    lines = [line for line in done.err.splitlines() if line.startswith("otel-agents")]
    lines = [line for line in lines if "OTEL_AGENTS_PREFER=theirs" not in line]  # of a conflict
    assert bool(lines) is (kind != "log handler"), done.err
    assert len(lines) == len(set(lines)), done.err
    assert "Traceback" not in done.err, done.err
    assert "planted-secret" not in done.err.replace("(RuntimeError: planted-secret)", ""), done.err
