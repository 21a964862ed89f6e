"""Requests the usage of streams whose caller does not (``OTEL_AGENTS_STREAM_USAGE``).

A compatible server may not know the option and refuse the request. The request is then retried
without it, and that server never gets it again; the caller notices neither.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._dialects.fields import Body, as_mapping

__all__ = ["OPTION", "retry_without_usage", "usage_option"]

OPTION: Final = "stream_options"
_REFUSALS: Final = (400, 422)
_LIMIT: Final = 256

_refusing: Final[Bounded[object, bool]] = Bounded(_LIMIT, inherited=True)
"""Hosts and ports that refused the option."""


def usage_option(body: Body, server: object) -> dict[str, Any] | None:
    """Return ``stream_options`` that make ``server`` send usage; None to leave ``body`` as it is.

    It stays as it is if it does not stream, requests usage itself, or ``server`` refused the
    option.
    """
    options = as_mapping(body.get(OPTION))
    if body.get("stream") is not True or options.get("include_usage") or server in _refusing:
        return None
    return {**options, "include_usage": True}


def retry_without_usage(call: Call, server: object, restore: Callable[[], None]) -> None:
    """Make ``call``, which requests usage, retry without it if ``server`` refuses the option.

    Args:
        call: The call, sync or async, that is about to be made.
        server: Where the request goes.
        restore: Removes the option from the arguments of ``call``.
    """
    function, method = call.function, call.instance is not None

    def retry_arguments(error: Exception) -> tuple[Any, ...] | None:
        """Return the arguments without the option; None for an unrelated error."""
        if not _is_refused(error):
            return None
        _remember(server)
        restore()
        return (call.instance, *call.args) if method else call.args

    async def send_async(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except Exception as error:
            args = retry_arguments(error) or ()
            if not args:
                raise
        return await function(*args, **call.kwargs)

    def send(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            args = retry_arguments(error) or ()
            if not args:
                raise
        return function(*args, **call.kwargs)

    call.function = send_async if inspect.iscoroutinefunction(function) else send


def _is_refused(error: Exception) -> bool:
    """Return whether ``error`` says that the server does not know the option."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    texts = (str(error), getattr(error, "message", None), getattr(error, "text", None))
    return status in _REFUSALS and any(OPTION in str(text) for text in texts)


def _remember(server: object) -> None:
    if server not in _refusing:
        _refusing.put(server, True)
        errors.inform(
            "otel-agents: %s does not support stream_options, which OTEL_AGENTS_STREAM_USAGE "
            "needs; streams from there are requested without usage from now on",
            server,
        )
