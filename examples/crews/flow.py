"""A flow: a crew finds facts in one method, and an agent summarizes them in the next."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

from crewai import LLM, Agent, Crew, Task
from crewai.flow.flow import Flow, listen, start

llm = LLM(model="gpt-4o-mini")
scout = Agent(role="Scout", goal="Find facts", backstory="You look twice.", llm=llm)
writer = Agent(role="Writer", goal="Summarize facts", backstory="You are brief.", llm=llm)


class Report(Flow):
    """Find facts, then summarize them."""

    @start()
    def find_out(self) -> str:
        """Return the facts."""
        task = Task(description="Find facts on bees.", expected_output="Facts", agent=scout)
        return Crew(name="facts", agents=[scout], tasks=[task]).kickoff().raw

    @listen(find_out)
    async def summarize(self, facts: str) -> str:
        """Return the facts in a sentence."""
        return (await writer.kickoff_async(f"Summarize in a sentence: {facts}")).raw


if __name__ == "__main__":
    print(Report().kickoff())
