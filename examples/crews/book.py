"""A flow that writes a book: crews outline and write it, routers check it, methods finish it."""

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

logging.getLogger("crewai").setLevel(logging.ERROR)  # it warns that it estimates token counts

SHELVES = {"bees": "Bees dance.", "wasps": "Wasps make paper."}
TITLES = ("Dance", "Paper", "Winter")


@tool("search_library")
def search_library(subject: str) -> str:
    """Search the library."""
    time.sleep(0.3)
    return SHELVES[subject]


def agent(role: str, **more) -> Agent:
    """Return an agent that works on the book."""
    return Agent(
        role=role,
        goal="A good book",
        backstory="You know books.",
        llm=LLM(model="gpt-4o-mini"),
        **more,
    )


def task(name: str, worker: Agent, about: str, **more) -> Task:
    """Return one task."""
    return Task(name=name, description=about, expected_output="Text", agent=worker, **more)


def has_titles(output):
    """Refuse an outline without its titles.

    CrewAI rejects a guardrail with postponed annotations, so this has none.
    """
    complete = all(title in output.raw for title in TITLES)
    return (True, output.raw) if complete else (False, "Name every chapter.")


def outline() -> Crew:
    """Return a crew that searches the library and outlines the book."""
    scout, planner = agent("Scout", tools=[search_library]), agent("Planner")
    found = task("research", scout, "Find what we have on {subject}.")
    made = task("outline", planner, "Outline the book.", context=[found], guardrail=has_titles)
    return Crew(name="outline", agents=[scout, planner], tasks=[found, made])


def chapter() -> Crew:
    """Return a crew that writes one chapter."""
    writer = agent("Writer")
    return Crew(name="chapter", agents=[writer], tasks=[task("write", writer, "Write: {title}.")])


def revision() -> Crew:
    """Return a crew that corrects the book, and translates it if it is in another language."""
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
    """An outline, chapters, a check, a revision and a second check."""

    checks = 0

    @start()
    def outline(self) -> str:
        """Outline the book."""
        return outline().kickoff(inputs={"subject": "insects"}).raw

    @listen(outline)
    async def chapters(self) -> None:
        """Write all chapters concurrently."""
        await asyncio.gather(*(chapter().akickoff(inputs={"title": title}) for title in TITLES))

    @router(or_(chapters, "revised"))
    def check(self) -> str:
        """Return ``good`` from the second check on."""
        self.checks += 1
        return "good" if self.checks > 1 else "again"

    @router("again")
    def revise(self) -> str:
        """Revise the book."""
        revision().kickoff()
        return "revised"

    @listen("good")
    def blurb(self) -> str:
        """Write the text on the back."""
        return agent("Publicist").kickoff("Write a blurb.").raw

    @listen("good")
    async def cover(self) -> None:
        """Draw the front."""
        await asyncio.sleep(0.1)

    @listen(and_(blurb, cover))
    def publish(self) -> str:
        """Publish the book."""
        return "Published."


if __name__ == "__main__":
    print(Book().kickoff())
