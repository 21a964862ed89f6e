"""Runs calls of the OpenAI SDK bare, with a span by hand and instrumented: prints CPU µs a call as JSON.

The transport of the SDK's HTTP client returns a response that was made beforehand, so that the SDK
and its instrumentation are measured. The chunks of a stream are parsed beforehand too.

    python tests/benchmarks/model_call.py PACKAGE ROW
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from handwritten import Call, by_hand
from measurement import BARE, BY_HAND, Block, Pipeline, Variant, added
from openai_requests import FEW, MANY, chat, embedding, response, streamed, streamed_by_hand
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

__all__ = ["ROWS", "Row"]

INSTRUMENTORS: Final = MappingProxyType(
    {
        "ours": "otel_agents.instrumentors.openai",
        "official": "opentelemetry.instrumentation.genai.openai",
        "openinference": "openinference.instrumentation.openai",
    }
)

_CALLS: Final = 3
_UNMEASURED: Final = 2
"""Calls in a block, and before it."""
_OF_FEW: Final = " of few"


@dataclass(frozen=True)
class Row:
    """One kind of call.

    Attributes:
        what: Its title.
        make: Returns the call of a size; none for a chunk of a stream.
        size: Bytes of its content.
        content: Whether that is recorded.
        lifted: Whether it is recorded whole, however large it is.
        sampled: Whether the trace is.
        rounds: Rounds of blocks.
        target: The ratio to a call by hand that ours should not exceed.
    """

    what: str
    make: Callable[[int], Call] | None = chat
    size: int = 1000
    content: bool = True
    lifted: bool = False
    sampled: bool = True
    rounds: int = 300
    target: float | None = 1.5


ROWS: Final = MappingProxyType(
    {
        "1kb": Row("chat, 1 KB"),
        "10kb": Row("chat, 10 KB", size=10_000),
        "off": Row("chat, 1 KB, content off", content=False),
        "1mb": Row("chat, 1 MB", size=1_000_000, rounds=60, target=0.1),
        "1mb-lifted": Row(
            "chat, 1 MB, limits lifted", size=1_000_000, lifted=True, rounds=60, target=1.0
        ),
        "unsampled": Row("chat, 10 KB, not sampled", size=10_000, sampled=False, target=None),
        "responses": Row("response, 1 KB", response),
        "embeddings": Row("embeddings, 1 KB", embedding),
        "chunk": Row("a chunk of a stream", None, rounds=100, target=2.0),
        "chunk-off": Row(
            "a chunk of a stream, content off", None, content=False, rounds=100, target=2.0
        ),
    }
)


def environ(row: Row) -> dict[str, str]:
    """Return the variables of a row, of all packages."""
    content = "SPAN_ONLY" if row.content else "NO_CONTENT"
    found = {
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": content,
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    }
    if not row.content:
        found |= dict.fromkeys(("OPENINFERENCE_HIDE_INPUTS", "OPENINFERENCE_HIDE_OUTPUTS"), "true")
    if row.lifted:
        limits = ("OTEL_AGENTS_CONTENT_MAX_BYTES", "OTEL_AGENTS_SPAN_MAX_BYTES")
        found |= dict.fromkeys(limits, str(10**9))
    return found


def variants(package: str, row: Row, pipeline: Pipeline) -> Mapping[str, Variant]:
    """Return the variants of a row."""
    tracer = pipeline.tracers.get_tracer("hand")
    if not row.make:
        found: dict[str, Variant] = {}
        for kind, number in (("", MANY), (_OF_FEW, FEW)):
            send = streamed(number)
            hand = streamed_by_hand(tracer, send, content=row.content)
            found |= three(package, kind, pipeline, exhausting(send), hand)
        return found
    call = row.make(row.size)
    return three(package, "", pipeline, call.send, by_hand(tracer, call, content=row.content))


def exhausting(send: Callable[[], Iterable[Any]]) -> Callable[[], None]:
    """Return what reads a stream to its end."""

    def run() -> None:
        for _ in send():
            pass

    return run


def three(package: str, kind: str, pipeline: Pipeline, plain: Any, hand: Any) -> dict[str, Variant]:
    """Return a call bare, by hand and instrumented."""
    instrumentor = import_module(INSTRUMENTORS[package]).OpenAIInstrumentor()
    return {
        f"{BARE}{kind}": Variant(plain),
        f"{BY_HAND}{kind}": Variant(hand),
        f"{package}{kind}": Variant(
            plain,
            lambda: instrumentor.instrument(tracer_provider=pipeline.tracers),
            instrumentor.uninstrument,
        ),
    }


def main() -> None:
    """Measure and print."""
    package, row = sys.argv[1], ROWS[sys.argv[2]]
    os.environ.update(environ(row))
    pipeline = Pipeline(
        runs=_CALLS, unmeasured=_UNMEASURED, sampler=ALWAYS_ON if row.sampled else ALWAYS_OFF
    )
    blocks = pipeline.alternate(variants(package, row, pipeline), row.rounds)
    steps = 1
    if not row.make:
        few = {name: blocks.pop(f"{name}{_OF_FEW}") for name in [BARE, BY_HAND, package]}
        blocks = {name: subtracted(many, few[name]) for name, many in blocks.items()}
        steps = MANY - FEW
    bare = blocks.pop(BARE)
    print(json.dumps({name: added(measured, bare, steps) for name, measured in blocks.items()}))


def subtracted(blocks: list[Block], others: list[Block]) -> list[Block]:
    """Return the differences of blocks of the same rounds."""
    return [one - other for one, other in zip(blocks, others, strict=True)]


if __name__ == "__main__":
    main()
