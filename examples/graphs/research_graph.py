"""A research graph: topics are studied in parallel by a sub-agent, and an editor writes the report."""

# pyright: basic, reportMissingImports=false
# LangGraph is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import operator
import sys
from typing import Annotated, TypedDict

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Send


class Plan(TypedDict):
    """The topics to study."""

    topics: list[str]


class Study(TypedDict):
    """What one study works on."""

    topic: str


class Research(MessagesState):
    """The state of the graph; the editor reads its messages."""

    subject: str
    topics: list[str]
    findings: Annotated[list[str], operator.add]


@tool
def search_library(subject: str) -> str:
    """Search the library for a subject."""
    return f"Three books on {subject}."


def graph():
    """Return the compiled graph."""
    model = init_chat_model("openai:gpt-4o-mini")
    researcher = create_agent(
        model, [search_library], system_prompt="You are the researcher.", name="researcher"
    )
    editor = create_agent(model, [], system_prompt="You are the editor.", name="editor")

    def plan(state: Research):
        planner = model.with_structured_output(Plan)
        return {"topics": planner.invoke(f"Topics of: {state['subject']}")["topics"]}

    def study(state: Study):
        result = researcher.invoke({"messages": [{"role": "user", "content": state["topic"]}]})
        return {"findings": [result["messages"][-1].text]}

    def collect(state: Research):
        findings = "\n".join(sorted(state["findings"]))
        return {"messages": [{"role": "user", "content": f"{state['subject']}\n{findings}"}]}

    def studies(state: Research):
        return [Send("study", {"topic": topic}) for topic in state["topics"]]

    builder = StateGraph(Research)
    builder.add_node("plan", plan)
    builder.add_node("study", study)
    builder.add_node("collect", collect)
    builder.add_node("editor", editor)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", studies, ["study"])
    builder.add_edge("study", "collect")
    builder.add_edge("collect", "editor")
    builder.add_edge("editor", END)
    return builder.compile(name="research")


def main() -> None:
    """Research one subject and print the report."""
    subject = " ".join(sys.argv[1:]) or "the life of bees"
    print(graph().invoke({"subject": subject})["messages"][-1].text)


if __name__ == "__main__":
    main()
