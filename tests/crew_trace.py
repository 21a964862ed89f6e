"""The trace of the demo's crew: its spans, indented by their depth, with tokens and errors."""

from __future__ import annotations

import re

__all__ = ["BEFORE", "CHAT", "CREW", "RESULT", "drawn"]

RESULT = "Take the 09:25 from Milano: Bern is sunny on Friday, 21 degrees."
EMBEDDINGS = "embeddings text-embedding-3-small"
CHAT = "chat gpt-4o-mini"
BEFORE = f"{EMBEDDINGS} 1013 0"
"""Knowledge is embedded when the crew is created, in its own trace."""
CREW = f"""\
invoke_workflow trip
  {EMBEDDINGS} 1026 0
  {EMBEDDINGS} 1039 0
  {EMBEDDINGS} 1052 0
  {EMBEDDINGS} 1065 0
  task scout
    invoke_agent Scout 6806 1034
      search_memory
        {EMBEDDINGS} 1078 0
      {CHAT} 1091 149
      retrieval
        {EMBEDDINGS} 1104 0
      {CHAT} 1117 163
      execute_tool get_weather
      {CHAT} 1130 170
      execute_tool find_trains ✗
      {CHAT} 1143 177
      execute_tool find_trains
      {CHAT} 1156 184
      {CHAT} 1169 191
      create_memory
        {EMBEDDINGS} 1182 0
        {CHAT} 1195 205
  task write
    invoke_agent Writer 3728 692
      search_memory
        {EMBEDDINGS} 1208 0
      {CHAT} 1221 219
      retrieval
        {EMBEDDINGS} 1234 0
      {CHAT} 1247 233
      {CHAT} 1260 240
      create_memory
        {EMBEDDINGS} 1273 0
        {CHAT} 1286 254
""".splitlines()

_LINE = re.compile(
    r"(?P<indent>[ │├└─]*)(?P<name>\S.*?)  +[\d.,]+ m?s +━+"
    r"( +(?P<input>[\d,]+) → (?P<output>[\d,]+))?(?P<error>.*✗)?"
)


def drawn(text: str) -> list[list[str]]:
    """Return the lines of each trace that the tree exporter drew in ``text``, in that order."""
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
