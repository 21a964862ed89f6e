"""A crew that streams its output."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

from crewai import LLM, Agent, Crew, Task

llm = LLM(model="gpt-4o-mini")
writer = Agent(role="Writer", goal="State facts", backstory="You are brief.", llm=llm)
task = Task(description="State a fact on bees.", expected_output="A sentence", agent=writer)
crew = Crew(name="ticker", agents=[writer], tasks=[task], stream=True)

if __name__ == "__main__":
    for chunk in crew.kickoff():
        print(chunk.content, end="")
    print()
