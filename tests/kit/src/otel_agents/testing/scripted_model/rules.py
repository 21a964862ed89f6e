"""The default response: a tool call first, then text or an instance of the schema."""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import Any

from otel_agents.testing.scripted_model.dialect import ModelRequest, ParsedRequest, Tool
from otel_agents.testing.scripted_model.reactions import Response, ToolCall
from otel_agents.testing.scripted_model.values import Json, json_list, json_object

_MAX_DEPTH = 8  # schemas may be recursive
_NAMED = re.compile(r"call:([\w\-]+)")
_FORMATS = MappingProxyType(
    {
        "date": "2026-01-31",
        "date-time": "2026-01-31T12:00:00Z",
        "email": "someone@example.com",
        "uri": "https://example.com/",
        "uuid": "00000000-0000-4000-8000-000000000000",
    }
)


def default_response(request: ModelRequest) -> Response:
    """Return a call of one offered tool; after a tool result, or without tools, the content.

    The tool is the forced one, else the one that the prompt names by `call:NAME`, else the first.
    The content is an instance of the requested schema, else `DEFAULT_TEXT`.
    """
    tool = _chosen(request)
    if tool is not None:
        arguments = instance({"type": "object", **tool.parameters})
        return Response(tool_calls=(ToolCall(tool.name, json_object(arguments)),))
    if request.schema is not None:
        return Response(text=json.dumps(instance(request.schema)))
    return Response()


def _chosen(request: ParsedRequest) -> Tool | None:
    if not request.tools or request.has_tool_result or request.forced_tool == "":
        return None
    offered = {tool.name: tool for tool in request.tools}
    preferred = [request.forced_tool, *reversed(_NAMED.findall(request.prompt))]
    return next((offered[name] for name in preferred if name in offered), request.tools[0])


def instance(schema: Json, root: Json | None = None, depth: int = 0) -> Any:
    """Return a minimal instance of a JSON schema, the same one each time."""
    root = schema if root is None else root
    if depth > _MAX_DEPTH:
        return None
    for key in ("default", "const"):
        if key in schema:
            return schema[key]
    if json_list(schema.get("enum")):
        return schema["enum"][0]
    if "$ref" in schema:
        return instance(_referred(str(schema["$ref"]), root), root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if json_list(schema.get(key)):
            options = [json_object(option) for option in schema[key]]
            concrete = [option for option in options if option.get("type") != "null"]
            return instance((concrete or options)[0], root, depth + 1)
    return _of_type(schema, root, depth)


def _of_type(schema: Json, root: Json, depth: int) -> Any:
    kind = schema.get("type") or ("object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((name for name in json_list(schema["type"]) if name != "null"), "null")
    if kind == "object":
        properties = json_object(schema.get("properties"))
        return {
            name: instance(json_object(part), root, depth + 1) for name, part in properties.items()
        }
    if kind == "array":
        return [instance(json_object(schema.get("items")), root, depth + 1)]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "string":
        return _FORMATS.get(str(schema.get("format")), "example")
    return {"boolean": True}.get(str(kind))


def _referred(reference: str, root: Json) -> Json:
    target = root
    for name in reference.lstrip("#/").split("/"):
        target = json_object(target.get(name))
    return target
