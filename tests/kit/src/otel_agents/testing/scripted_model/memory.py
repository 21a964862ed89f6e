"""Responses that later requests refer to by id."""

from __future__ import annotations

import threading
from typing import Any


class Memory:
    """The latest values by id; the oldest are dropped first. Thread-safe."""

    def __init__(self, size: int = 1000) -> None:
        self._size = size
        self._values: dict[str, Any] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Any:
        """Return the value, or None."""
        return self._values.get(key)

    def put(self, key: str, value: Any) -> None:
        """Store a value."""
        with self._lock:
            self._values[key] = value
            if len(self._values) > self._size:
                del self._values[next(iter(self._values))]
