"""What LiteLLM's results tell: only what the provider said, never what LiteLLM made up."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from otel_agents.instrumentors._dialects.anthropic.usage import CACHE_COUNTS
from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_mapping, field, text
from otel_agents.instrumentors._dialects.openai.usage import usage_of

__all__ = ["answer_id", "chunk_id", "model_of", "spent", "stream_spent"]

_READ_LIMIT: Final = 1 << 20
"""Characters up to which an answer is read again for its id."""

_TELLS_USAGE: Final = re.compile(r"""["'](?:usage|\w*token\w*|\w*count)["']\s*:""", re.IGNORECASE)
_MADE_UP: Final = re.compile("(?:chat)?cmpl-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENCODED_ID: Final = "resp_"


def answer_id(response: Any, raw: Any) -> str | None:
    """The provider's id: LiteLLM makes ids of its own for wire formats that it translates.

    Args:
        response: LiteLLM's result.
        raw: The provider's answer as LiteLLM logs it: its text, if it came over LiteLLM's HTTP.
    """
    return _said(_decoded(text(response, "id")), raw, ("id",), _is_made_up)


def chunk_id(chunk: Any) -> str | None:
    """The provider's id of a stream, from a chunk; None for one that LiteLLM may have made."""
    known = _decoded(text(chunk, "id"))
    return None if known is not None and _is_made_up(known) else known


def _is_made_up(known: str) -> bool:
    """Whether an id has the form of those that LiteLLM makes."""
    return _MADE_UP.fullmatch(known) is not None


def _said(
    known: str | None, raw: Any, names: tuple[str, ...], doubtful: Callable[[str], bool]
) -> str | None:
    """``known`` if the provider has said it, else what it has said under one of ``names``.

    Where its answer is not at hand, ``doubtful`` tells whether ``known`` may be of LiteLLM's making.
    """
    if not isinstance(raw, str):
        return None if known is not None and doubtful(known) else known
    if known is not None and f'"{known}"' in raw:
        return known
    try:
        answer: Any = json.loads(raw) if len(raw) <= _READ_LIMIT else None
    except ValueError:  # not every provider answers in JSON
        return None
    return next((said for name in names if (said := text(as_mapping(answer), name))), None)


def _decoded(known: str | None) -> str | None:
    """An id of the Responses API without what LiteLLM has packed around it."""
    if known is None or not known.startswith(_ENCODED_ID):
        return known
    try:
        packed = base64.b64decode(known.removeprefix(_ENCODED_ID) + "==").decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return known
    return packed.rpartition("response_id:")[2] if packed.startswith("litellm:") else known


def model_of(response: Any, provider: Any, raw: Any) -> str | None:
    """The model that answered, as the provider calls it; ``raw`` is as in `answer_id`."""
    model = text(response, "model")
    known = model.removeprefix(f"{provider}/") if model is not None else None
    return _said(known, raw, ("model", "modelVersion"), lambda _: False)


def spent(response: Any, raw: Any) -> Usage | None:
    """The usage of a whole answer; None where LiteLLM has counted it itself."""
    if isinstance(raw, str) and not _TELLS_USAGE.search(raw):
        return None
    return _whole(field(response, "usage"))


def stream_spent(chunks: Iterable[Any]) -> Usage | None:
    """The usage that the chunks of a stream told, the last word on each number."""
    told = [usage for usage in map(_whole, (field(chunk, "usage") for chunk in chunks)) if usage]
    if not told:
        return None
    inputs = [usage.input_tokens for usage in told if usage.input_tokens]
    outputs = [usage.output_tokens for usage in told if usage.output_tokens]
    breakdown = {name: tokens for usage in told for name, tokens in usage.breakdown.items()}
    return Usage(inputs[-1] if inputs else 0, outputs[-1] if outputs else 0, breakdown)


def _whole(usage: Any) -> Usage | None:
    counted = usage_of(usage)
    if counted is None or not (counted.input_tokens or counted.output_tokens):
        return None  # an empty one is LiteLLM's default, for a provider that told none
    cached = {name: field(usage, key) for key, name in CACHE_COUNTS}
    breakdown = {**counted.breakdown, **{name: n for name, n in cached.items() if n}}
    return Usage(counted.input_tokens, counted.output_tokens, breakdown)
