"""Instrumentors that are active for one test."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

__all__ = ["instrumenting"]


@contextmanager
def instrumenting(
    emission: Emission, *instrumentors: BaseInstrumentor
) -> Generator[Callable[..., None], None, None]:
    """Yield a function that instruments; uninstrument at the end.

        @pytest.fixture
        def instrument(emission):
            with instrumenting(emission, MyInstrumentor(), OpenAIInstrumentor()) as instrument:
                yield instrument

        def test_a_run(instrument, emission):
            instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")

    Its keyword arguments are environment variables. Settings are read from them alone, not from
    the process's environment. Two are not variables: ``sdk=False`` leaves out all instrumentors
    but the first, ``emission`` sets another emission.
    """

    def instrument(*, sdk: bool = True, emission: Emission = emission, **environ: str) -> None:
        for instrumentor in instrumentors if sdk else instrumentors[:1]:
            instrumentor.instrument(**emission.providers, settings=Settings.read(environ))

    try:
        yield instrument
    finally:
        for instrumentor in instrumentors:
            if instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.uninstrument()
