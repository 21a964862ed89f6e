"""The demo's program where CrewAI is installed: an application without a line of OpenTelemetry.

A crew of two plans a trip, with tools, knowledge and memory. The argument is the model that it
calls.
"""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where types are checked.

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from types import MappingProxyType

os.environ.setdefault("CREWAI_STORAGE_DIR", tempfile.mkdtemp())  # nothing is kept between runs

from crewai import LLM, Agent, Crew, Task
from crewai.knowledge.source.string_knowledge_source import StringKnowledgeSource
from crewai.tools import tool

logging.getLogger("crewai").setLevel(logging.ERROR)  # it warns that it counts tokens itself

MODEL = sys.argv[1] if sys.argv[1:] else "gpt-4o-mini"
STATIONS = ("Milano", "Bern")
EMBEDDER = MappingProxyType(
    {
        "provider": "openai",
        "config": {
            "model_name": "text-embedding-3-small",
            "api_key": os.environ["OPENAI_API_KEY"],
            "api_base": os.environ.get("OPENAI_BASE_URL"),
        },
    }
)


@tool("get_weather")
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    time.sleep(0.04)
    return f"Friday in {city}: sunny, 21 degrees"


@tool("find_trains")
def find_trains(origin: str, destination: str) -> str:
    """Find trains between two stations."""
    time.sleep(0.12)
    if origin not in STATIONS:
        raise LookupError(f"no station {origin}")
    return f"{origin} 09:25, {destination} 12:23"


def trip(traveller: str) -> Crew:
    """Return the crew: a scout finds a connection, a writer describes it."""
    llm = LLM(model=MODEL)
    scout = Agent(
        role="Scout",
        goal="Find out how to get there",
        backstory="You know every timetable.",
        tools=[get_weather, find_trains],
        llm=llm,
    )
    writer = Agent(
        role="Writer",
        goal="Tell it in one sentence",
        backstory="You write for readers in a hurry.",
        llm=llm,
    )
    scouting = Task(
        name="scout",
        description="How does {traveller} get from Milan to {city} on Friday, "
        "and what weather is there?",
        expected_output="A train and the weather",
        agent=scout,
    )
    writing = Task(
        name="write",
        description="Tell {traveller} how to travel.",
        expected_output="One sentence",
        agent=writer,
        context=[scouting],
    )
    return Crew(
        name="trip",
        agents=[scout, writer],
        tasks=[scouting, writing],
        memory=True,
        knowledge_sources=[StringKnowledgeSource(content=f"{traveller} does not like to fly.")],
        embedder=EMBEDDER,
    )


def main() -> None:
    """Run the crew, and print the result."""
    print(trip("Ada").kickoff(inputs={"traveller": "Ada", "city": "Bern"}).raw)


if __name__ == "__main__":
    main()
