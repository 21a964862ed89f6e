"""A toy framework: one method of every shape that a real one has."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, TypeVar

__version__ = "1.4.0"

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Refused(Exception):
    """The agent does not reply."""


def logged(function: _Function) -> _Function:
    """A decorator like those that frameworks put around their methods."""

    @functools.wraps(function)
    def logging(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return logging  # pyright: ignore[reportReturnType]  wraps keeps the signature


class Agent:
    """An agent that repeats its prompt."""

    def __init__(self, name: str) -> None:
        self.name = name

    def run(self, prompt: str, *, times: int = 1) -> str:
        """Reply at once."""
        return self._reply(prompt) * times

    async def arun(self, prompt: str, *, times: int = 1) -> str:
        """Reply asynchronously."""
        return self._reply(prompt) * times

    @logged
    def decorated(self, prompt: str) -> str:
        """A method behind a decorator."""
        return self._reply(prompt)

    @logged
    async def adecorated(self, prompt: str) -> str:
        """A coroutine method behind a plain decorator: no coroutine function any more."""
        return self._reply(prompt)

    def later(self, prompt: str) -> Coroutine[Any, Any, str]:
        """Return a coroutine without being a coroutine function."""
        return self._later(prompt)

    async def _later(self, prompt: str) -> str:
        return self._reply(prompt)

    def stream(self, prompt: str) -> Generator[str, str | None, int]:
        """Reply word by word; return their number."""
        words = self._reply(prompt).split()
        yield from words
        return len(words)

    async def astream(self, prompt: str) -> AsyncGenerator[str, None]:
        """Reply word by word, asynchronously."""
        for word in self._reply(prompt).split():
            yield word

    @classmethod
    def named(cls, name: str) -> Agent:
        """Another constructor."""
        return cls(name)

    @staticmethod
    def shout(prompt: str) -> str:
        """Return the prompt in capitals."""
        return prompt.upper()

    def _reply(self, prompt: str) -> str:
        if not prompt:
            raise Refused("empty prompt")
        return f"{self.name} says {prompt}"


class Child(Agent):
    """Inherits everything."""


class Model(ABC):
    """What applications subclass."""

    @abstractmethod
    def call(self, prompt: str) -> str:
        """Call the model."""


class Parrot(Model):
    """The framework's own model."""

    def call(self, prompt: str) -> str:
        """Repeat the prompt."""
        return prompt


def complete(prompt: str) -> str:
    """A plain function of the module."""
    return f"asked {prompt}"
