"""The events of a streamed response, in the provider's order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_agents.testing.scripted_model.chunks import chunks, fragments
from otel_agents.testing.scripted_model.dialect import Frame, sse
from otel_agents.testing.scripted_model.values import Json

_Event = tuple[str, Json]  # name without "response.", fields
_LAST = ("completed", "incomplete", "failed")


def events(response: Json, *, queued: bool = False) -> tuple[Frame, ...]:
    """Return all events of a finished response, numbered from 0; the last one reports usage."""
    return tuple(
        sse(
            {"type": f"response.{name}", "sequence_number": number, **fields},
            name=f"response.{name}",
            has_usage=name in _LAST and fields["response"]["usage"] is not None,
        )
        for number, (name, fields) in enumerate(_events(response, queued))
    )


def _events(response: Json, queued: bool) -> Iterator[_Event]:
    started: Json = {**response, "status": "in_progress", "output": [], "usage": None}
    started |= {"error": None, "incomplete_details": None}
    if queued:
        yield "created", {"response": {**started, "status": "queued"}}
        yield "queued", {"response": {**started, "status": "queued"}}
    else:
        yield "created", {"response": started}
    yield "in_progress", {"response": started}
    for index, item in enumerate(response["output"]):
        yield "output_item.added", {"output_index": index, "item": _opened(item)}
        position = {"item_id": item.get("id"), "output_index": index}
        for name, fields in _item_events(item):
            yield name, {**position, **fields}
        yield "output_item.done", {"output_index": index, "item": item}
    yield response["status"], {"response": response}


def _opened(item: Json) -> Json:
    """Return an item without its content."""
    empty: dict[str, Json] = {
        "message": {"content": [], "status": "in_progress"},
        "function_call": {"arguments": "", "status": "in_progress"},
        "reasoning": {"summary": []},
    }
    return {**item, **empty.get(str(item.get("type")), {})}


def _item_events(item: Json) -> Iterator[_Event]:
    if item["type"] == "function_call":
        for fragment in fragments(item["arguments"]):
            yield "function_call_arguments.delta", {"delta": fragment}
        yield (
            "function_call_arguments.done",
            {"arguments": item["arguments"], "name": item["name"]},
        )
    elif item["type"] == "reasoning":
        for index, part in enumerate(item["summary"]):
            yield from _part_events(part, "reasoning_summary_", index)
    elif item["type"] == "message":
        for index, part in enumerate(item["content"]):
            yield from _part_events(part, "content_", index)


def _part_events(part: Json, prefix: str, index: int) -> Iterator[_Event]:
    """Yield the events of a part: added, text in chunks, done."""
    field = "refusal" if part["type"] == "refusal" else "text"
    stem = {"output_text": "output_text", "refusal": "refusal"}.get(
        part["type"], "reasoning_summary_text"
    )
    position = {"summary_index" if prefix == "reasoning_summary_" else "content_index": index}
    more: dict[str, Any] = {"logprobs": []} if stem == "output_text" else {}
    yield f"{prefix}part.added", {**position, "part": {**part, field: ""}}
    for chunk in chunks(part[field]):
        yield f"{stem}.delta", {**position, "delta": chunk, **more}
    yield f"{stem}.done", {**position, field: part[field], **more}
    yield f"{prefix}part.done", {**position, "part": part}
