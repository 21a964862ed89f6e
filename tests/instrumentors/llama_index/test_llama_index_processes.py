"""What LlamaIndex does in other processes is in the trace, under ``opentelemetry-instrument``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from instrumented import instrumented, script
from llama_index_parts import CORE, EMBED
from otlp_receiver import Receiver
from packaging.version import Version

from otel_agents.testing.scripted_model import ScriptedModel

PROGRAM = """
    import asyncio, multiprocessing, os, sys
    from llama_index.core import Document, SimpleDirectoryReader
    from llama_index.core.ingestion import IngestionPipeline
    from llama_index.embeddings.openai import OpenAIEmbedding
    from opentelemetry import trace

    # LlamaIndex starts no more workers than there are
    os.cpu_count = multiprocessing.cpu_count = lambda: 2

    def model():
        given = {"api_base": os.environ["OPENAI_BASE_URL"], "api_key": "none", "max_retries": 0}
        return OpenAIEmbedding(model_name="text-embedding-3-small", **given)

    def pipeline():
        documents = [Document(text=text) for text in ("red", "green")]
        ingestion = IngestionPipeline(name="manuals", transformations=[model()])
        return ingestion, {"documents": documents, "num_workers": 2}

    def run():
        ingestion, given = pipeline()
        return ingestion.run(**given)

    def arun():
        ingestion, given = pipeline()
        return asyncio.run(ingestion.arun(**given))

    def embedded(path):
        return {"embedding": model().get_text_embedding(path)}

    def load():
        folder = os.path.dirname(__file__)
        files = [os.path.join(folder, name) for name in ("red.txt", "green.txt")]
        reader = SimpleDirectoryReader(input_files=files, file_metadata=embedded)
        with trace.get_tracer("t").start_as_current_span("reading"):
            return reader.load_data(num_workers=2)

    if __name__ == "__main__":
        print(*sorted(node.get_content() for node in globals()[sys.argv[1]]()))
"""

needs_no_readers = pytest.mark.skipif(
    Version("0.11") > CORE, reason="it reads no text without its package of readers"
)


def usage(span: Any) -> int:
    return sum(
        it.value.int_value for it in span.attributes if it.key == "gen_ai.usage.input_tokens"
    )


@pytest.mark.parametrize(
    ("way", "root"),
    [
        ("run", "invoke_workflow manuals"),
        ("arun", "invoke_workflow manuals"),
        pytest.param("load", "reading", marks=needs_no_readers),
    ],
)
def test_workers_are_in_the_trace_and_each_token_is_counted_once(
    tmp_path: Path, way: str, root: str
) -> None:
    program = script(tmp_path, PROGRAM)
    for text in ("red", "green"):
        script(tmp_path, text, f"{text}.txt")
    with Receiver() as receiver, ScriptedModel() as model:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_AGENTS_EXIT_TIMEOUT": "30",
            "OPENAI_BASE_URL": model.openai_url,
            "PYTHONWARNINGS": "ignore",  # of fork beside threads, from Python 3.12 on
        }
        done = instrumented(program, variables, installed=True, arguments=[way], seconds=240)
        billed = model.ledger.input_tokens
    assert (done.status, done.out) == (0, "green red\n"), done.err
    assert receiver.span_names == [EMBED, EMBED, root]
    (above,) = (span for span in receiver.spans if span.name == root)
    below = [span for span in receiver.spans if span is not above]
    assert {(span.trace_id, span.parent_span_id) for span in below} == {
        (above.trace_id, above.span_id)
    }
    assert sum(map(usage, receiver.spans)) == billed
    metrics = receiver.totals("gen_ai.client.token.usage", "input")
    assert sum(metrics.values()) == billed
