"""Hooks raise nothing into the application; an interrupt that comes meanwhile passes on.

Whatever it is, what was begun has an end, and arrives.
"""

from __future__ import annotations

import signal
import sys
from asyncio import CancelledError
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from otel_agents.instrumentors import Inference, Step, Telemetry, wrapped
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.hooks.named_hooks import NamedHook
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors._core.telemetry.gate import Gate
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation as Kind
from otel_agents.testing.emission import Emission

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
INPUT = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
OUTPUT = [{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}]
WHERE = ("input_messages", "output_messages", "completion", "exception_message")
"""Where a hook is called: when a call starts, has its result, is recorded, fails."""


class Odd(BaseException):
    """As in a library."""


class Overloaded(Exception):
    """The provider refuses the request."""


REFUSED = errors.error_type(Overloaded())


class Chat(Inference):
    """A call of a model, with content."""

    def __init__(self, telemetry: Telemetry, call: Any) -> None:
        super().__init__(telemetry, Kind.CHAT, "openai", "m", None)
        self.content.input_messages = INPUT

    def respond(self, value: Any) -> None:
        self.content.output_messages = OUTPUT


@pytest.fixture
def emission() -> Iterator[Emission]:
    """Held to no convention: an interrupted call misses required attributes."""
    emission = Emission()
    yield emission
    emission.close()


def hooked(emission: Emission, where: str, act: Callable[[], object]) -> Telemetry:
    """Both kinds of hooks; the one called at ``where`` runs ``act``."""

    class Completion:
        def on_completion(self, **given: Any) -> None:
            if where == "completion":
                act()

    def redact(kind: str, value: Any) -> Any:
        if kind == where:
            act()
        return value

    settings = Settings.read({CAPTURE: "SPAN_ONLY"})
    made = Telemetry("toy", settings=settings, **emission.providers)
    made.gate = Gate(settings, Completion(), redaction_hook=redact)
    return made


def call_model(telemetry: Telemetry, where: str) -> str:
    """The result of the call, or the name of its error."""

    def reply() -> str:
        if where == "exception_message":
            raise Overloaded
        return "answer"

    try:
        return wrapped(reply, telemetry, Chat)()
    except Overloaded as error:
        return errors.error_type(error)


def recorded(emission: Emission) -> list[Any]:
    """The errors of the spans, which have metrics and have ended."""
    assert in_progress.operations() == []
    assert "gen_ai.client.operation.duration" in emission.points()
    return [(span.attributes or {}).get("error.type") for span in emission.spans]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("error", [SystemExit("planted-secret"), Odd("planted-secret")])
def test_a_raising_hook_is_a_failed_hook(
    where: str,
    error: BaseException,
    emission: Emission,
    counts: Counts,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise error

    using = hooked(emission, where, fail)
    failure = REFUSED if where == "exception_message" else None
    assert [call_model(using, where), call_model(using, where)] == [failure or "answer"] * 2
    assert recorded(emission) == [failure] * 2
    hook = "the completion hook" if where == "completion" else "the redaction hook"
    assert set(counts) == {f"calling {hook}"}
    (line,) = caplog.messages
    assert line.startswith(f"otel-agents: {hook} failed ({type(error).__name__}), so ")
    assert "planted-secret" not in caplog.text


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def cancel() -> None:
    raise CancelledError


def close() -> None:
    raise GeneratorExit


@contextmanager
def handlers() -> Generator[None]:
    """Interrupts of an application that ends by an exit."""

    def leave(number: int, frame: object) -> None:
        sys.exit(number)

    # A process in the background of a shell ignores SIGINT.
    ours = {signal.SIGTERM: leave, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in ours.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (interrupt, KeyboardInterrupt),
        (terminate, SystemExit),
        (cancel, CancelledError),
        (close, GeneratorExit),
    ],
)
def test_an_interrupt_during_a_hook_passes_on_and_the_span_is_recorded(
    where: str,
    act: Callable[[], None],
    kind: type[BaseException],
    emission: Emission,
    counts: Counts,
) -> None:
    using = hooked(emission, where, act)
    with handlers(), pytest.raises(kind):
        call_model(using, where)
    known = {"completion": None, "exception_message": REFUSED}
    assert recorded(emission) == [known.get(where, errors.error_type(kind()))]
    assert counts == {}


def test_every_started_operation_ends(telemetry: Telemetry, emission: Emission) -> None:
    def start(telemetry: Telemetry, call: Any) -> Any:
        Step(telemetry, "around")
        Step(telemetry, "begun")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wrapped(lambda: None, telemetry, start)()
    assert in_progress.operations() == []
    assert sorted(span.name for span in emission.spans) == ["around", "begun"]


def named(accept: Callable[[Any], Any]) -> NamedHook:
    return NamedHook("the redaction hook", "no_group", "json:loads", "HOOK", accept, "nothing is")


def test_a_hook_whose_creation_fails_is_none_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def accept(found: Any) -> Any:
        raise Odd

    hook = named(accept)
    assert [hook.get(), hook.get()] == [None, None]
    assert hook.is_absent
    (line,) = caplog.messages
    assert "cannot be loaded (Odd: ), so nothing is;" in line


def test_a_hook_whose_creation_is_interrupted_is_loaded_again() -> None:
    interruptions = [KeyboardInterrupt()]

    def accept(found: Any) -> Any:
        if interruptions:
            raise interruptions.pop()
        return found

    hook = named(accept)
    with pytest.raises(KeyboardInterrupt):
        hook.get()
    assert not hook.resolved
    assert hook.get() is not None
