"""Reads LiteLLM's results: only what the provider sent, never what LiteLLM generated."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._dialects.anthropic.usage import CACHE_COUNTS
from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_mapping, field, text
from otel_agents.instrumentors._dialects.openai.usage import usage_of

if TYPE_CHECKING:
    from . import _types

__all__ = ["model_of", "response_id_of", "stream_id", "usage_of_response", "usage_of_stream"]

_READ_LIMIT: Final = 1 << 20
"""Characters; a longer response is not parsed again for its id."""

_USAGE: Final = '"usage":'
"""As nearly every provider spells it: a regular expression takes longer to find that."""
_USAGE_KEY: Final = re.compile(r"""["'](?:usage|\w*token\w*|\w*count)["']\s*:""", re.IGNORECASE)
_GENERATED_ID: Final = re.compile("(?:chat)?cmpl-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENCODED_ID: Final = "resp_"


def response_id_of(response: _types.Response, raw: object) -> str | None:
    """Return the provider's id: LiteLLM generates ids for wire formats that it translates.

    Args:
        response: LiteLLM's result.
        raw: The provider's response as LiteLLM logs it: its text if LiteLLM's HTTP client received
            it.
    """
    return _from_provider(_decoded(text(response, "id")), raw, ("id",), _is_generated)


def stream_id(chunk: _types.Chunk | None) -> str | None:
    """Return the provider's id of a stream from a chunk; None if LiteLLM may have generated it."""
    known = _decoded(text(chunk, "id"))
    return None if known is not None and _is_generated(known) else known


def _is_generated(known: str) -> bool:
    """Return whether an id has the form of LiteLLM's own ids."""
    return _GENERATED_ID.fullmatch(known) is not None


def _from_provider(
    known: str | None, raw: object, names: tuple[str, ...], may_be_generated: Callable[[str], bool]
) -> str | None:
    """Return ``known`` if the provider sent it, else what the provider sent under one of ``names``.

    Without the raw response, ``known`` is dropped if ``may_be_generated`` says that LiteLLM may
    have made it.
    """
    if not isinstance(raw, str):
        return None if known is not None and may_be_generated(known) else known
    if known is not None and f'"{known}"' in raw:
        return known
    try:
        response: Any = json.loads(raw) if len(raw) <= _READ_LIMIT else None
    except ValueError:  # not every provider responds in JSON
        return None
    return next((value for name in names if (value := text(as_mapping(response), name))), None)


def _decoded(known: str | None) -> str | None:
    """Return an id of the Responses API without the route that LiteLLM encodes into it."""
    if known is None or not known.startswith(_ENCODED_ID):
        return known
    try:
        decoded = base64.b64decode(known.removeprefix(_ENCODED_ID) + "==").decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return known
    return decoded.rpartition("response_id:")[2] if decoded.startswith("litellm:") else known


def model_of(
    response: _types.Response | _types.Chunk | None, provider: str | None, raw: object
) -> str | None:
    """Return the response's model as the provider names it; ``raw`` is as in `response_id_of`."""
    model = text(response, "model")
    known = model.removeprefix(f"{provider}/") if model is not None else None
    return _from_provider(known, raw, ("model", "modelVersion"), lambda _: False)


def usage_of_response(response: _types.Response, raw: object) -> Usage | None:
    """Return the usage of a whole response; None if LiteLLM counted it itself."""
    if isinstance(raw, str) and _USAGE not in raw and not _USAGE_KEY.search(raw):
        return None
    return _nonzero_usage(field(response, "usage"))


def usage_of_stream(chunks: Iterable[_types.Chunk]) -> Usage | None:
    """Return the usage in the chunks of a stream; later counts replace earlier ones."""
    usages = [
        usage for usage in map(_nonzero_usage, (field(chunk, "usage") for chunk in chunks)) if usage
    ]
    if not usages:
        return None
    inputs = [usage.input_tokens for usage in usages if usage.input_tokens]
    outputs = [usage.output_tokens for usage in usages if usage.output_tokens]
    breakdown = {name: tokens for usage in usages for name, tokens in usage.breakdown.items()}
    return Usage(inputs[-1] if inputs else 0, outputs[-1] if outputs else 0, breakdown)


def _nonzero_usage(usage: _types.Usage | None) -> Usage | None:
    counted = usage_of(usage)
    if counted is None or not (counted.input_tokens or counted.output_tokens):
        return None  # all zero: LiteLLM's default for a provider that sent no usage
    cached = {name: field(usage, key) for key, name in CACHE_COUNTS}
    breakdown = {**counted.breakdown, **{name: n for name, n in cached.items() if n}}
    return Usage(counted.input_tokens, counted.output_tokens, breakdown)
