"""The kit helps authors of instrumentors, and does not affect other test suites."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution

import pytest

CONFTEST = """
import pytest
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.instrumentation import instrumenting

pytest_plugins = ["otel_agents.testing.plugin"]

@pytest.fixture
def instrument(emission):
    with instrumenting(emission, OpenAIInstrumentor()) as instrument:
        yield instrument
"""


def outcomes(pytester: pytest.Pytester, conftest: str, tests: str) -> tuple[dict[str, int], str]:
    """Return the outcomes of the tests, run in a subprocess, and its output."""
    pytester.makeconftest(conftest)
    pytester.makepyfile(tests)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    return result.parseoutcomes(), result.stdout.str()


def test_an_author_tests_an_instrumentor(pytester: pytest.Pytester) -> None:
    tests = """
        from openai import OpenAI
        from otel_agents.testing.scripted_model import Response

        def test_a_call(instrument, emission, model):
            instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
            model.script(Response("Sunny."))
            with OpenAI(base_url=model.openai_url, api_key="none") as client:
                messages = [{"role": "user", "content": "How is the weather?"}]
                client.chat.completions.create(model="gpt-4o", messages=messages)
            assert emission.tree() == ["chat gpt-4o"]
            attributes = emission.span.attributes
            assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens
            assert "Sunny." in attributes["gen_ai.output.messages"]

        def test_nothing_is_left_instrumented(emission, model):
            with OpenAI(base_url=model.openai_url, api_key="none") as client:
                client.chat.completions.create(model="gpt-4o", messages=[])
            assert emission.spans == ()
    """
    assert outcomes(pytester, CONFTEST, tests)[0] == {"passed": 2}


def test_what_does_not_conform_fails_its_test(pytester: pytest.Pytester) -> None:
    tests = """
        def span(emission, **attributes):
            tracer = emission.tracer_provider.get_tracer("test")
            tracer.start_span("plan", attributes=attributes).end()

        def test_right(emission):
            span(emission, **{"gen_ai.operation.name": "plan"})

        def test_wrong(emission):
            span(emission, **{"gen_ai.operation.name": "scheme"})
    """
    ended, out = outcomes(pytester, CONFTEST, tests)
    assert ended == {"passed": 2, "errors": 1}
    assert "plan: operation_unknown: scheme" in out


def test_an_error_in_the_instrumentors_code_fails_its_test(pytester: pytest.Pytester) -> None:
    tests = """
        import pytest
        from openai import OpenAI
        from otel_agents.instrumentors.openai import OpenAIInstrumentor

        def test_a_call(instrument, model, monkeypatch):
            monkeypatch.setattr(OpenAIInstrumentor, "patches", lambda self: 1 / 0)
            instrument()
    """
    ended, out = outcomes(pytester, CONFTEST, tests)
    assert ended == {"failed": 1}
    assert "ZeroDivisionError" in out


def test_a_suite_without_the_plugin_is_unaffected(pytester: pytest.Pytester) -> None:
    tests = """
        import sys

        def test_a_suite_of_somebody_else(request):
            assert not [name for name in sys.modules if name.startswith("otel_agents")]
            assert "strict_errors" not in request.fixturenames
    """
    assert outcomes(pytester, "", tests)[0] == {"passed": 1}
    assert not list(distribution("otel-agents-testing").entry_points)


def test_the_scripted_model_needs_the_standard_library_alone() -> None:
    code = """
import sys
from otel_agents.testing.scripted_model import ScriptedModel
with ScriptedModel():
    loaded = {name.partition(".")[0] for name in sys.modules}
    parts = {name for name in sys.modules if name.startswith("otel_agents.")}
assert {"opentelemetry", "pytest", "openai"}.isdisjoint(loaded), loaded
assert all(name.startswith("otel_agents.testing") for name in parts), parts
"""
    subprocess.run([sys.executable, "-c", code], check=True)
