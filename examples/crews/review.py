"""A guardrail that checks the output of a task, and a human who reviews it."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

from crewai import LLM, Agent, Crew, Task

writer = Agent(
    role="Writer",
    goal="State facts",
    backstory="You are brief.",
    llm=LLM(model="gpt-4o-mini"),
)


def brief(output):
    """Refuse more than ten words.

    CrewAI rejects a guardrail with postponed annotations, so this has none.
    """
    short = len(output.raw.split()) <= 10
    return (True, output.raw) if short else (False, "Use ten words at most.")


task = Task(
    description="State a fact on bees.",
    expected_output="A sentence",
    agent=writer,
    guardrail=brief,
    human_input=True,
)
crew = Crew(name="review", agents=[writer], tasks=[task])

if __name__ == "__main__":
    print(crew.kickoff().raw)
