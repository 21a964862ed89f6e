"""The trace of the demo's crew: its spans, indented by their depth, with tokens and errors."""

from __future__ import annotations

import re

__all__ = ["ANSWER", "BEFORE", "CREW", "drawn"]

ANSWER = "Take the 09:25 from Milano: Bern is sunny on Friday, 21 degrees."
EMBEDDINGS = "embeddings text-embedding-3-small"
CHAT = "chat gpt-4o-mini"
BEFORE = f"{EMBEDDINGS} 1013 0"
"""What is known is embedded when the crew is made: a trace of its own."""
CREW = f"""\
invoke_workflow trip
  {EMBEDDINGS} 1026 0
  {EMBEDDINGS} 1039 0
  {EMBEDDINGS} 1052 0
  {EMBEDDINGS} 1065 0
  task scout
    invoke_agent Scout 5637 843
      search_memory
        {EMBEDDINGS} 1078 0
      {CHAT} 1091 149
      retrieval
        {EMBEDDINGS} 1104 0
      {CHAT} 1117 163
      execute_tool get_weather
      execute_tool find_trains ✗
      {CHAT} 1130 170
      execute_tool find_trains
      {CHAT} 1143 177
      {CHAT} 1156 184
      create_memory
        {EMBEDDINGS} 1169 0
        {CHAT} 1182 198
  task write
    invoke_agent Writer 3689 671
      search_memory
        {EMBEDDINGS} 1195 0
      {CHAT} 1208 212
      retrieval
        {EMBEDDINGS} 1221 0
      {CHAT} 1234 226
      {CHAT} 1247 233
      create_memory
        {EMBEDDINGS} 1260 0
        {CHAT} 1273 247
""".splitlines()

_LINE = re.compile(
    r"(?P<indent>[ │├└─]*)(?P<name>\S.*?)  +[\d.,]+ m?s +━+"
    r"( +(?P<input>[\d,]+) → (?P<output>[\d,]+))?(?P<error>.*✗)?"
)


def drawn(text: str) -> list[list[str]]:
    """The lines of each trace that the tree exporter drew in ``text``, in that order."""
    traces: list[list[str]] = []
    for line in text.splitlines():
        if " · trace " in line:
            traces.append([])
        elif traces and (found := _LINE.match(line)):
            traces[-1].append(_plain(found))
    return traces


def _plain(found: re.Match[str]) -> str:
    depth = "  " * (len(found["indent"]) // 3)
    tokens = [found[it].replace(",", "") for it in ("input", "output") if found[it]]
    return depth + " ".join([found["name"], *tokens, *(["✗"] if found["error"] else [])])
