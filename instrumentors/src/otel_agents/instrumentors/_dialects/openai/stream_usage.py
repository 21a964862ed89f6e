"""Asks for the usage of streams whose caller has not (``OTEL_AGENTS_STREAM_USAGE``).

Compatible servers may not know the option, and refuse the request. Such a request is made once more,
without it, and its host is not asked again: the caller sees neither.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._dialects.fields import Body, as_mapping

__all__ = ["OPTION", "asked", "retry_without_usage"]

OPTION: Final = "stream_options"
_REFUSALS: Final = (400, 422)
_LIMIT: Final = 256

_refusing: Final[Bounded[object, bool]] = Bounded(_LIMIT, inherited=True)
"""Hosts and ports that have refused the option."""


def asked(body: Body, server: object) -> dict[str, Any] | None:
    """What the option must be for a stream of ``server`` to tell its usage; None to leave ``body``.

    That is where it streams nothing, asks itself, or goes to a host that has refused the option.
    """
    wanted = as_mapping(body.get(OPTION))
    if body.get("stream") is not True or wanted.get("include_usage") or server in _refusing:
        return None
    return {**wanted, "include_usage": True}


def retry_without_usage(call: Call, server: object, restore: Callable[[], None]) -> None:
    """Have ``call``, which asks ``server`` for usage, made once more if it is refused for that.

    Args:
        call: The call, sync or async, that is about to be made.
        server: Whom it asks.
        restore: Takes the option out of the arguments of ``call``.
    """
    function, method = call.function, call.instance is not None

    def once_more(error: Exception) -> tuple[Any, ...] | None:
        """The arguments without the option; None for an error that has nothing to do with it."""
        if not _is_refused(error):
            return None
        _remember(server)
        restore()
        return (call.instance, *call.args) if method else call.args

    async def asking_async(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            args = once_more(error) or ()
            if not args:
                raise
        return await function(*args, **call.kwargs)

    def asking(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            args = once_more(error) or ()
            if not args:
                raise
        return function(*args, **call.kwargs)

    call.function = asking_async if inspect.iscoroutinefunction(function) else asking


def _is_refused(error: Exception) -> bool:
    """Whether ``error`` says that the option is not known."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    said = (str(error), getattr(error, "message", None), getattr(error, "text", None))
    return status in _REFUSALS and any(OPTION in str(text) for text in said)


def _remember(server: object) -> None:
    if server not in _refusing:
        _refusing.put(server, True)
        errors.inform(
            "otel-agents: %s does not know the option stream_options, by which "
            "OTEL_AGENTS_STREAM_USAGE asks for the usage of streams; it is not asked again",
            server,
        )
