"""What a request, its result and its error hold, in mcp 1 (models) and in mcp 2 (dicts)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from otel_agents.instrumentors._core.operations.kinds import short
from otel_agents.instrumentors._dialects.fields import field, plain, text
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import McpMethod

__all__ = [
    "CALLER_FAULTS",
    "FREQUENT",
    "INVALID",
    "REPEATABLE",
    "Message",
    "code_of",
    "is_error_result",
    "is_from_library",
    "protocol_version",
    "resource_uri",
    "result_content",
]

CALLER_FAULTS: Final = frozenset((-32700, -32600, -32601, -32602, -32002))
"""Errors of a request that are no errors of the server (MCP semconv, "Server")."""

INVALID: Final = frozenset((-32600, -32602))
"""Codes by which a peer rejects what a request holds."""

FREQUENT: Final = frozenset(
    (McpMethod.NOTIFICATIONS_PROGRESS.value, McpMethod.NOTIFICATIONS_MESSAGE.value)
)
"""Notifications without a span: one call of a tool may send thousands."""

_BY_LIBRARY: Final = frozenset(
    (
        McpMethod.INITIALIZE.value,
        McpMethod.SERVER_DISCOVER.value,
        McpMethod.TOOLS_LIST.value,
        McpMethod.PING.value,
    )
)
REPEATABLE: Final = _BY_LIBRARY | {
    McpMethod.COMPLETION_COMPLETE.value,
    McpMethod.LOGGING_SET_LEVEL.value,
    McpMethod.PROMPTS_GET.value,
    McpMethod.PROMPTS_LIST.value,
    McpMethod.RESOURCES_LIST.value,
    McpMethod.RESOURCES_READ.value,
    McpMethod.RESOURCES_SUBSCRIBE.value,
    McpMethod.RESOURCES_TEMPLATES_LIST.value,
    McpMethod.RESOURCES_UNSUBSCRIBE.value,
    McpMethod.ROOTS_LIST.value,
}
"""Requests that can be sent again: others may have executed a tool, called a model or a human."""

_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
_VERSIONS: Final = ("protocolVersion", "protocol_version", _VERSION)
_CONTINUED: Final = ("inputResponses", "requestState")
_IS_ERROR: Final = ("isError", "is_error")
_NOT_CONTENT: Final = MappingProxyType(dict.fromkeys(("_meta", "meta", "resultType")))


class Message(NamedTuple):
    """A request or a notification.

    Attributes:
        method: ``mcp.method.name``.
        params: Its parameters: a model, a dict or None.
    """

    method: str
    params: Any

    @classmethod
    def of(cls, message: Any) -> Message:
        """Read a message of mcp 1."""
        root = getattr(message, "root", message)
        return cls(root.method, getattr(root, "params", None))

    @property
    def tool(self) -> str | None:
        """The tool that it calls."""
        return text(self.params, "name") if self.method == McpMethod.TOOLS_CALL.value else None

    @property
    def prompt(self) -> str | None:
        """The prompt that it requests."""
        return text(self.params, "name") if self.method == McpMethod.PROMPTS_GET.value else None

    @property
    def arguments(self) -> Any:
        """The arguments of a tool, the variables of a prompt."""
        return field(self.params, "arguments")

    @property
    def continues(self) -> bool:
        """Whether it is a request that is sent again with the inputs that the server required."""
        return any(field(self.params, name) for name in _CONTINUED)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes that only some methods have."""
        uri = resource_uri(field(self.params, "uri"))
        return {attr.MCP_RESOURCE_URI: uri} if uri else {}


def is_from_library(method: str) -> bool:
    """Return whether the client sends it by itself to do what the application wants."""
    return method in _BY_LIBRARY or method.startswith("notifications/")


def resource_uri(uri: Any) -> str | None:
    """Return what identifies a resource: no credentials, no query, and no data in place of a path."""
    try:
        parts = urlsplit(str(uri or ""))
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    path = "" if parts.scheme == "data" else parts.path
    return short(parts._replace(netloc=host, path=path, query="", fragment="").geturl()) or None


def protocol_version(holder: Any) -> str | None:
    """Return the protocol version of an ``initialize`` result, or of ``_meta``."""
    found = (text(holder, name) for name in _VERSIONS)
    return next((version for version in found if version), None)


def is_error_result(result: Any) -> bool:
    """Return whether a tool reports an error in its result."""
    return any(field(result, name) is True for name in _IS_ERROR)


def result_content(result: Any) -> Any:
    """Return what the client gets, without what the protocol adds."""
    value = plain(result)
    if not isinstance(value, Mapping):
        return value
    known = cast("Mapping[str, Any]", value)
    return {name: one for name, one in known.items() if name not in _NOT_CONTENT}


def code_of(error: object) -> int | None:
    """Return the JSON-RPC code of an exception or of an error response."""
    holder: Any = getattr(error, "error", error)
    code: Any = getattr(holder, "code", None)
    return code if isinstance(code, int) and hasattr(holder, "message") else None
