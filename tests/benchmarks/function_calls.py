"""Counts the function calls that the instrumentation of a model call adds: it repeats exactly.

``python tests/benchmarks/function_calls.py`` in an environment of the tests: a chat, and a stream of five
chunks, both of 1 KB with content. ``-v`` lists our functions by their number of calls.
"""

from __future__ import annotations

import gc
import os
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from model_call import FEW, ROWS, environ
from openai_requests import chat, stream_read
from opentelemetry.sdk.trace import TracerProvider
from tables import print_header, print_row

from otel_agents.instrumentors.openai import OpenAIInstrumentor

_OURS: Final = "/otel_agents/"
_OPENTELEMETRY: Final = "/opentelemetry/"


class Profile:
    """The functions that were called, by their file, line and name."""

    def __init__(self) -> None:
        self.python: Counter[tuple[str, int, str]] = Counter()
        self.builtin = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Count a call reported by `sys.setprofile`; a generator that goes on counts too."""
        if event == "call":
            code = frame.f_code
            self.python[code.co_filename, code.co_firstlineno, code.co_name] += 1
        elif event == "c_call":
            self.builtin += 1

    def of(self, part: str) -> int:
        """Return the calls of functions below a folder."""
        return sum(calls for function, calls in self.python.items() if part in function[0])


def profiled(call: Callable[[], Any]) -> Profile:
    """Profile one call, after two that fill caches; a collection of garbage would count as calls."""
    call()
    call()
    profile = Profile()
    gc.disable()
    sys.setprofile(profile)
    call()
    sys.setprofile(None)
    gc.enable()
    return profile


def main() -> None:
    """Count and print."""
    os.environ.update(environ(ROWS["1kb"]))
    instrumentor = OpenAIInstrumentor()
    print_header(
        *("", "ours, before", "ours", "of OpenTelemetry", "of Python, all", "built-in"),
    )
    for what, before, call in (
        ("a chat", 221, chat(1000).send),
        (f"a stream of {FEW} chunks", 209, stream_read(FEW)),
    ):
        bare = profiled(call)
        instrumentor.instrument(tracer_provider=TracerProvider())
        ours = profiled(call)
        instrumentor.uninstrument()
        every = ours.python.total() - bare.python.total()
        counts = (before, ours.of(_OURS), ours.of(_OPENTELEMETRY), every)
        print_row([what, *map(str, counts), str(ours.builtin - bare.builtin)])
        if "-v" in sys.argv:
            for (file, line, name), calls in ours.python.most_common():
                if _OURS in file:
                    print(f"{calls:8} {file.partition(_OURS)[2]}:{line} {name}")


if __name__ == "__main__":
    main()
