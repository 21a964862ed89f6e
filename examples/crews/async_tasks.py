"""Two concurrent tasks, and one that waits for both, in a crew that is awaited."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

import asyncio

from crewai import LLM, Agent, Crew, Task

llm = LLM(model="gpt-4o-mini")


def find(subject: str) -> Task:
    """Return an asynchronous task of a scout."""
    return Task(
        name=subject,
        description=f"Find facts on {subject}.",
        expected_output="Facts",
        agent=Agent(role="Scout", goal="Find facts", backstory="You look twice.", llm=llm),
        async_execution=True,
    )


facts = [find("bees"), find("wasps")]
writer = Agent(role="Writer", goal="Compare facts", backstory="You are brief.", llm=llm)
compare = Task(
    name="compare",
    description="Compare them.",
    expected_output="A sentence",
    agent=writer,
    context=facts,
)
crew = Crew(name="comparison", agents=[writer], tasks=[*facts, compare])

if __name__ == "__main__":
    print(asyncio.run(crew.akickoff()).raw)
