"""Two tasks at the same time, and one that waits for both; the whole crew awaited."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

import asyncio

from crewai import LLM, Agent, Crew, Task

llm = LLM(model="gpt-4o-mini")


def find(subject: str) -> Task:
    """A task of a scout's that nobody waits for."""
    return Task(
        name=subject,
        description=f"Find facts on {subject}.",
        expected_output="Facts",
        agent=Agent(role="Scout", goal="Find facts", backstory="You look twice.", llm=llm),
        async_execution=True,
    )


facts = [find("bees"), find("wasps")]
writer = Agent(role="Writer", goal="Tell facts", backstory="You are brief.", llm=llm)
tell = Task(
    name="tell",
    description="Compare them.",
    expected_output="A sentence",
    agent=writer,
    context=facts,
)
crew = Crew(name="comparison", agents=[writer], tasks=[*facts, tell])

if __name__ == "__main__":
    print(asyncio.run(crew.akickoff()).raw)
