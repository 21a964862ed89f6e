"""Names and values of known libraries, as the conventions have them today."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast
from urllib.parse import urlsplit

from opentelemetry.trace import Status, StatusCode

from otel_agents.distro.foreign.records import event_name
from otel_agents.distro.foreign.spans import Parts
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.foreign import PROVIDERS, Repair
from otel_agents.semconv.registry import REGISTRY

__all__ = ["Repairs"]

_UNSET: Final = Status(StatusCode.UNSET)
_AUTHORITY: Final = "//"
_GEN_AI: Final = "gen_ai."
_MEMBER: Final = "FinishReason."


class Repairs:
    """Repairs the spans and events of one library.

    Args:
        repair: What they need.
    """

    def __init__(self, repair: Repair) -> None:
        self._spellings = repair.spellings
        self._removed = frozenset(repair.removed)
        self._not_providers = frozenset(repair.not_providers)

    def parts(self, parts: Parts) -> Parts:
        """Return the parts of a span, repaired; the same objects where nothing changes."""
        ok = parts.status.status_code is StatusCode.OK
        return parts._replace(
            attributes=self.attributes(parts.attributes), status=_UNSET if ok else parts.status
        )

    def record(self, record: Any) -> Any:
        """Return a log record, repaired if it is an event of the conventions."""
        if not (event_name(record) or "").startswith(_GEN_AI):
            return record
        attributes = self.attributes(record.attributes or {})
        if attributes is record.attributes or not attributes:
            return record
        changed = copy.copy(record)
        changed.attributes = attributes
        return changed

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the attributes, repaired; the same object if nothing changes."""
        repaired: dict[str, Any] = {}
        changed = False
        for name, value in attributes.items():
            target = self._spellings.get(name, name)
            right = self._value(target, value)
            changed = changed or right is not value or target != name
            # The name of today wins, whichever is first.
            if right is not None and (target == name or target not in attributes):
                repaired[target] = right
        if attr.SERVER_ADDRESS in repaired:
            changed = _split_address(repaired) or changed
        return repaired if changed else attributes

    def _value(self, name: str, value: Any) -> Any:
        if name in self._removed:
            return None
        if name == attr.GEN_AI_PROVIDER_NAME:
            return None if value in self._not_providers else PROVIDERS.get(value, value)
        if name == attr.GEN_AI_RESPONSE_FINISH_REASONS:
            return _reasons(value)
        known = REGISTRY.get(name)
        convert = _CONVERSIONS.get(known.type) if known is not None else None
        return value if convert is None else convert(value)


def _texts(value: Any) -> Any:
    """Return the list that a text holds as JSON; other text is its only item."""
    if not isinstance(value, str):
        return value
    try:
        found: Any = json.loads(value)
    except (ValueError, RecursionError):
        found = value
    return tuple(map(str, cast("list[Any]", found))) if isinstance(found, list) else (value,)


def _reasons(value: Any) -> Any:
    """Return finish reasons; the name of an enumeration's member is its value."""
    texts: Any = _texts(value)
    if not any(_MEMBER in str(text) for text in texts):
        return texts
    return tuple(str(text).rpartition(_MEMBER)[2].lower() for text in texts)


def _integer(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _double(value: Any) -> Any:
    return float(value) if type(value) is int else value


_CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {"string[]": _texts, "int": _integer, "double": _double}
)


def _split_address(attributes: dict[str, Any]) -> bool:
    """Replace a URL, or a host with its port, by the host; return whether it was one."""
    address = attributes[attr.SERVER_ADDRESS]
    if not isinstance(address, str):
        return False
    try:
        url = urlsplit(address if _AUTHORITY in address else _AUTHORITY + address)
        host, port = url.hostname, url.port or _PORTS.get(url.scheme)
    except ValueError:  # not even nearly a URL, or an IPv6 address
        return False
    if not host or host == address.lower():
        return False
    attributes[attr.SERVER_ADDRESS] = host
    if port is not None:
        attributes.setdefault(attr.SERVER_PORT, port)
    return True


_PORTS: Final = MappingProxyType({"http": 80, "https": 443})
