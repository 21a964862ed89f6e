"""A crew that calls a tool of an MCP server."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

import sys
from pathlib import Path

from crewai import LLM, Agent, Crew, Task
from crewai.mcp import MCPServerStdio

SERVER = Path(__file__).with_name("weather_server.py")
scout = Agent(
    role="Scout",
    goal="Know the weather",
    backstory="You look twice.",
    llm=LLM(model="gpt-4o-mini"),
    mcps=[MCPServerStdio(command=sys.executable, args=[str(SERVER)])],
)
task = Task(description="Weather in Bern?", expected_output="A sentence", agent=scout)
crew = Crew(name="weather", agents=[scout], tasks=[task])

if __name__ == "__main__":
    print(crew.kickoff().raw)
