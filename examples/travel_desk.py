"""A travel desk: a triage agent, guarded on both sides, hands off to an agent that finds trains."""

# pyright: basic, reportMissingImports=false
# The Agents SDK is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio

from agents import (
    Agent,
    GuardrailFunctionOutput,
    Runner,
    function_tool,
    input_guardrail,
    output_guardrail,
)

MODEL = "gpt-4o-mini"


@function_tool
def find_trains(origin: str, destination: str) -> str:
    """Find trains between two stations."""
    return f"{origin} 09:25, {destination} 12:23"


checker = Agent("Checker", instructions="Is this about travel? Answer yes or no.", model=MODEL)


@input_guardrail
async def about_travel(context, agent, message) -> GuardrailFunctionOutput:
    """Refuse whatever is not about travel."""
    verdict = await Runner.run(checker, message)
    return GuardrailFunctionOutput(None, tripwire_triggered=verdict.final_output != "yes")


@output_guardrail
async def no_prices(context, agent, output) -> GuardrailFunctionOutput:
    """Refuse prices, which the desk does not know."""
    return GuardrailFunctionOutput(None, tripwire_triggered="€" in output)


trains = Agent(
    "Trains",
    instructions="Find a train, and tell the traveller in one sentence.",
    model=MODEL,
    tools=[find_trains],
    output_guardrails=[no_prices],
)
desk = Agent(
    "Desk",
    instructions="Hand off to the agent for the means of transport.",
    model=MODEL,
    handoffs=[trains],
    input_guardrails=[about_travel],
)


async def main() -> None:
    """Ask the desk one question, and print its response."""
    result = await Runner.run(desk, "How do I get from Milano to Bern by train?")
    print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())
