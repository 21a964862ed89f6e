"""A hierarchical crew: a manager decides who works on what."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

from crewai import LLM, Agent, Crew, Process, Task

llm = LLM(model="gpt-4o-mini")
scout = Agent(role="Scout", goal="Find facts", backstory="You look twice.", llm=llm)
task = Task(name="bees", description="Find facts on bees.", expected_output="Facts")
crew = Crew(
    name="managed",
    agents=[scout],
    tasks=[task],
    process=Process.hierarchical,
    manager_llm=llm,
)

if __name__ == "__main__":
    print(crew.kickoff().raw)
