"""A book by a flow: crews outline and write it, routers look at it, two methods finish it at the same time."""

# pyright: basic, reportMissingImports=false
# CrewAI is not installed where the other examples are checked.

from __future__ import annotations

import asyncio
import logging
import time

from crewai import LLM, Agent, Crew, Task
from crewai.flow.flow import Flow, and_, listen, or_, router, start
from crewai.tasks.conditional_task import ConditionalTask
from crewai.tools import tool

logging.getLogger("crewai").setLevel(logging.ERROR)  # it warns of counting tokens by itself

SHELVES = {"bees": "Bees dance.", "wasps": "Wasps make paper."}
TITLES = ("Dance", "Paper", "Winter")


@tool("search_library")
def search_library(subject: str) -> str:
    """Search the library."""
    time.sleep(0.3)
    return SHELVES[subject]


def agent(role: str, **more) -> Agent:
    """One that works on the book."""
    return Agent(
        role=role,
        goal="A good book",
        backstory="You know books.",
        llm=LLM(model="gpt-4o-mini"),
        **more,
    )


def task(name: str, worker: Agent, about: str, **more) -> Task:
    """One thing to do."""
    return Task(name=name, description=about, expected_output="Text", agent=worker, **more)


def has_titles(output):
    """Refuse an outline without its titles; CrewAI wants such a function without annotations."""
    complete = all(title in output.raw for title in TITLES)
    return (True, output.raw) if complete else (False, "Name every chapter.")


def outline() -> Crew:
    """Finds out what there is, and makes an outline of it."""
    scout, planner = agent("Scout", tools=[search_library]), agent("Planner")
    found = task("research", scout, "Find what we have on {subject}.")
    made = task("outline", planner, "Outline the book.", context=[found], guardrail=has_titles)
    return Crew(name="outline", agents=[scout, planner], tasks=[found, made])


def chapter() -> Crew:
    """Writes one chapter."""
    writer = agent("Writer")
    return Crew(name="chapter", agents=[writer], tasks=[task("write", writer, "Write: {title}.")])


def revision() -> Crew:
    """Corrects what was written, and translates it where it is in another language."""
    editor = agent("Editor")
    correct = task("correct", editor, "Correct the book.")
    translate = ConditionalTask(
        name="translate",
        description="Translate the book.",
        expected_output="Text",
        agent=editor,
        condition=lambda output: "język" in output.raw,
    )
    return Crew(name="revision", agents=[editor], tasks=[correct, translate])


class Book(Flow):
    """Outline, chapters, a check, and a second one after the book was revised."""

    checks = 0

    @start()
    def outline(self) -> str:
        """The outline."""
        return outline().kickoff(inputs={"subject": "insects"}).raw

    @listen(outline)
    async def chapters(self) -> None:
        """Every chapter at the same time."""
        await asyncio.gather(*(chapter().akickoff(inputs={"title": title}) for title in TITLES))

    @router(or_(chapters, "revised"))
    def check(self) -> str:
        """Good enough from the second time on."""
        self.checks += 1
        return "good" if self.checks > 1 else "again"

    @router("again")
    def revise(self) -> str:
        """The book, corrected."""
        revision().kickoff()
        return "revised"

    @listen("good")
    def blurb(self) -> str:
        """What is said on the back."""
        return agent("Publicist").kickoff("Write a blurb.").raw

    @listen("good")
    async def cover(self) -> None:
        """What is on the front."""
        await asyncio.sleep(0.1)

    @listen(and_(blurb, cover))
    def publish(self) -> str:
        """The book is out."""
        return "Published."


if __name__ == "__main__":
    print(Book().kickoff())
