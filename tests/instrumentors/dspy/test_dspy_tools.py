"""Functions that a model requested, where the application executes them: ``ToolCall.execute``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from dspy_programs import VERSION, dspy, weather
from opentelemetry.trace import StatusCode
from packaging.version import Version

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.skipif(Version("3.0.4") > VERSION, reason="it does not execute them")


def requested(name: str, **arguments: Any) -> Any:
    return dspy.ToolCalls.ToolCall(name=name, args=arguments)


def fails(city: str) -> str:
    raise LookupError("secret")


async def later(city: str) -> str:
    await asyncio.sleep(0)
    return f"Sunny in {city}."


def found_by_name() -> Any:
    def local(city: str) -> str:
        return f"Sunny in {city}."

    assert requested("local", city="Bern").execute() == local("Bern")
    return requested("weather", city="Bern").execute()


WAYS: dict[str, Callable[[], Any]] = {
    "by-name": found_by_name,
    "by-mapping": lambda: requested("weather", city="Bern").execute({"weather": weather}),
    "tools": lambda: requested("weather", city="Bern").execute(functions=[dspy.Tool(weather)]),
    "tool": lambda: requested("weather", city="Bern").execute({"weather": dspy.Tool(weather)}),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_execution_is_one_span(
    way: Callable[[], Any], with_content: None, emission: Emission
) -> None:
    assert way() == "Sunny in Bern."
    *_, span = emission.spans
    assert set(emission.names) <= {"execute_tool local", "execute_tool weather"}
    assert emission.names.count("execute_tool weather") == 1
    found = dict(span.attributes or {})
    assert found["gen_ai.tool.call.arguments"] == '{"city":"Bern"}'
    assert found["gen_ai.tool.call.result"] == '{"result":"Sunny in Bern."}'


def test_an_async_function(instrumented: None, emission: Emission) -> None:
    async def main() -> Any:
        return await requested("later", city="Bern").execute()

    assert asyncio.run(main()) == "Sunny in Bern."
    assert emission.tree() == ["execute_tool later"]


def test_a_function_that_fails(instrumented: None, emission: Emission) -> None:
    with pytest.raises(RuntimeError, match="secret") as raised:
        requested("fails", city="Bern").execute()
    assert isinstance(raised.value.__cause__, LookupError)
    assert emission.span.status.status_code is StatusCode.ERROR
    assert (emission.span.attributes or {})["error.type"] == "LookupError"
    assert "secret" not in emission.texts()


def failures() -> list[str]:
    """Return what wrong calls raise."""
    calls: list[Callable[[], Any]] = [
        lambda: requested("absent").execute(),
        lambda: requested("absent").execute({}),
        lambda: requested("weather", city="Bern").execute((dspy.Tool(weather),)),
        lambda: requested("weather").execute(MappingProxyType({"weather": weather})),
        lambda: requested("weather").execute(["weather"]),
        lambda: requested("weather", town="Bern").execute(),
        lambda: requested("VERSION").execute(),
    ]
    raised: list[str] = []
    for one in calls:
        with pytest.raises(Exception) as error:  # noqa: PT011  compared by the caller
            one()
        raised.append(f"{error.type.__name__}: {error.value}")
    return raised


def test_wrong_calls_fail_as_before(instrument: Callable[..., None], emission: Emission) -> None:
    before = failures()
    instrument()
    assert failures() == before
    assert emission.names == ["execute_tool weather"]
