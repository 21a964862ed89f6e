"""Runs calls of a model SDK bare, with a span by hand and instrumented: prints CPU µs a call as JSON.

The transport of the SDK's HTTP client returns a response that was made beforehand, so that the SDK
and its instrumentation are measured. The chunks of a stream are parsed beforehand too, unless a row
says otherwise.

    python tests/benchmarks/model_call.py PACKAGE ROW
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from handwritten import by_hand
from measurement import BARE, BY_HAND, Block, Pipeline, Variant, print_added
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from packages import OF_CLIENTS, RECORDED, UNRECORDED, instrumentor

__all__ = ["FEW", "ROWS", "SDK_ROWS", "Row", "environ"]

MANY: Final = 200
FEW: Final = 5
"""Chunks of the streams that are compared."""
_PARSED: Final = 400
"""Chunks of a stream that the SDK parses: so many that what the call costs hardly counts."""
_STREAMS: Final = 5
_UNMEASURED_STREAMS: Final = 2
"""Such streams that a block measures, and those before them."""
_CALLS: Final = 30
_UNMEASURED: Final = 120
"""Calls that a block measures, and those before them."""
_CHAT: Final = "openai_requests:chat"
_OF_FEW: Final = " of few"


@dataclass(frozen=True)
class Row:
    """One kind of call.

    Attributes:
        what: Its title.
        make: The function that returns the call of a size; none for a chunk of a stream.
        size: Bytes of its content.
        library: The SDK.
        content: Whether that is recorded.
        lifted: Whether it is recorded whole, however large it is.
        sampled: Whether the trace is.
        metrics: Whether the duration and the tokens are recorded in histograms, too, also by hand.
        parses: Whether the SDK parses a chunk when it is fetched.
        scoped: Whether by hand, too, the span is current only while a chunk is fetched.
        rounds: Rounds of blocks.
        target: The ratio to a call by hand that ours should not exceed.
        before: That ratio before the hot path was made shorter.
    """

    what: str
    make: str | None = _CHAT
    size: int = 1000
    library: str = "openai"
    content: bool = True
    lifted: bool = False
    sampled: bool = True
    metrics: bool = False
    parses: bool = False
    scoped: bool = False
    rounds: int = 20
    target: float | None = 1.5
    before: float | None = None


ROWS: Final = MappingProxyType(
    {
        "1kb": Row("chat, 1 KB", before=2.42),
        "10kb": Row("chat, 10 KB", size=10_000, before=2.42),
        "off": Row("chat, 1 KB, content off", content=False, before=2.64),
        "metrics": Row("chat, 1 KB, with metrics", metrics=True),
        "1mb": Row("chat, 1 MB", size=1_000_000, rounds=12, target=0.1, before=0.24),
        "1mb-lifted": Row(
            *("chat, 1 MB, limits lifted", _CHAT, 1_000_000),
            lifted=True,
            rounds=8,
            target=1.0,
            before=0.72,
        ),
        "unsampled": Row(
            "chat, 10 KB, not sampled", size=10_000, sampled=False, target=None, before=3.85
        ),
        "responses": Row("response, 1 KB", "openai_requests:response", before=2.57),
        "embeddings": Row("embeddings, 1 KB", "openai_requests:embedding", before=2.65),
        "chunk": Row("a chunk of a stream", None, rounds=30, target=2.0, before=4.71),
        "chunk-off": Row(
            *("a chunk of a stream, content off", None),
            content=False,
            rounds=30,
            target=2.0,
            before=6.07,
        ),
        "chunk-parsed": Row(
            "a chunk that the SDK parses", None, parses=True, rounds=40, target=2.0
        ),
        "chunk-parsed-off": Row(
            *("a chunk that the SDK parses, content off", None),
            content=False,
            parses=True,
            rounds=40,
            target=2.0,
        ),
        "chunk-scoped": Row(
            *("a chunk, by hand in its span only while it is fetched, too", None),
            scoped=True,
            rounds=30,
            target=2.0,
        ),
    }
)


SDK_ROWS: Final = MappingProxyType(
    {
        "openai": Row("OpenAI", before=2.58),
        "openai-off": Row("OpenAI, content off", content=False, before=2.07),
        **{
            library: Row(what, f"sdk_requests:{library}", library=library, before=before)
            for library, what, before in (
                ("anthropic", "Anthropic", 1.78),
                ("google_genai", "Google Gemini", 2.70),
                ("bedrock", "Bedrock", 2.79),
                ("groq", "Groq", 2.53),
                ("mistralai", "Mistral", 2.11),
                ("litellm", "LiteLLM", 8.43),
            )
        },
        **{
            f"anthropic{name}": Row(
                f"Anthropic{what}", "sdk_requests:anthropic", size, "anthropic", content
            )
            for name, what, size, content in (
                ("-10kb", ", 10 KB", 10_000, True),
                ("-off", ", content off", 1000, False),
            )
        },
    }
)
"""A chat of each SDK."""


def environ(row: Row) -> dict[str, str]:
    """Return the variables of a row, of all packages."""
    found = dict(RECORDED if row.content else UNRECORDED)
    if row.lifted:
        limits = ("OTEL_AGENTS_CONTENT_MAX_BYTES", "OTEL_AGENTS_SPAN_MAX_BYTES")
        found |= dict.fromkeys(limits, str(10**9))
    return found


def variants(package: str, row: Row, pipeline: Pipeline) -> Mapping[str, Variant]:
    """Return the variants of a row."""
    tracer = pipeline.tracers.get_tracer("hand")
    if row.make is None:
        found: dict[str, Variant] = {}
        requests: Any = import_module("openai_requests")
        numbers = {"": _PARSED} if row.parses else {"": MANY, _OF_FEW: FEW}
        for kind, number in numbers.items():
            plain = partial(requests.stream_read, number, parses=row.parses)
            hand = requests.streamed_by_hand(
                tracer, number, content=row.content, parses=row.parses, scoped=row.scoped
            )
            found |= three(package, kind, row, pipeline, plain, hand)
        return found
    module, _, name = row.make.partition(":")
    make = partial(getattr(import_module(module), name), row.size)
    hand = by_hand(tracer, make(), content=row.content, meters=pipeline.meters)
    return three(package, "", row, pipeline, lambda: make().send, hand)


def three(
    package: str,
    kind: str,
    row: Row,
    pipeline: Pipeline,
    make: Callable[[], Callable[[], Any]],
    hand: Callable[[], Any],
) -> dict[str, Variant]:
    """Return a call bare, by hand and instrumented.

    The client of the latter is made while it is: some packages instrument clients.
    """
    applied = instrumentor(package, row.library)

    def enter() -> None:
        applied.instrument(tracer_provider=pipeline.tracers, meter_provider=pipeline.meters)

    bare = make()
    enter()
    instrumented = make()
    if (package, row.library) in OF_CLIENTS:
        alternating = Variant(instrumented)
    else:
        alternating = Variant(instrumented, enter, applied.uninstrument)
        applied.uninstrument()
    return {
        f"{BARE}{kind}": Variant(bare),
        f"{BY_HAND}{kind}": Variant(hand),
        f"{package}{kind}": alternating,
    }


def main() -> None:
    """Measure and print."""
    package, row = sys.argv[1], {**ROWS, **SDK_ROWS}[sys.argv[2]]
    os.environ.update(environ(row))
    sampler = ALWAYS_ON if row.sampled else ALWAYS_OFF
    runs = (_STREAMS, _UNMEASURED_STREAMS) if row.parses else (_CALLS, _UNMEASURED)
    pipeline = Pipeline(*runs, sampler, metrics=row.metrics)
    compared = variants(package, row, pipeline)
    if row.parses:
        gc.freeze()  # a chunk makes many objects: whole collections would count for whoever's turn it is
    blocks = pipeline.alternate(compared, row.rounds)
    steps = 1
    if row.parses:
        steps = _PARSED
    elif not row.make:
        few = {name: blocks.pop(f"{name}{_OF_FEW}") for name in [BARE, BY_HAND, package]}
        blocks = {name: subtracted(many, few[name]) for name, many in blocks.items()}
        steps = MANY - FEW
    print_added(blocks, steps)


def subtracted(blocks: list[Block], others: list[Block]) -> list[Block]:
    """Return the differences of blocks of the same rounds."""
    return [one - other for one, other in zip(blocks, others, strict=True)]


if __name__ == "__main__":
    main()
