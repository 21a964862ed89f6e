"""A crew with memory and knowledge, and its own embedder."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

import os

from crewai import LLM, Agent, Crew, Task
from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource

EMBEDDER = {
    "provider": "openai",
    "config": {
        "model_name": "text-embedding-3-small",
        "api_key": os.environ["OPENAI_API_KEY"],
        "api_base": os.environ.get("OPENAI_BASE_URL"),
    },
}
writer = Agent(
    role="Writer",
    goal="State facts",
    backstory="You are brief.",
    llm=LLM(model="gpt-4o-mini"),
)
task = Task(description="State a fact on bees.", expected_output="A sentence", agent=writer)
crew = Crew(
    name="archive",
    agents=[writer],
    tasks=[task],
    memory=True,
    knowledge_sources=[StringKnowledgeSource(content="Bees dance.")],
    embedder=EMBEDDER,
)

if __name__ == "__main__":
    print(crew.kickoff().raw)
