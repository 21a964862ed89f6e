"""Where a recommended attribute is not to be had: neither request nor response holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import OpenAIApiType, Operation, Provider, ResponseStatus

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class Gap:
    """Attributes that a span of ``type`` need not have where ``holds``, and why."""

    type: str
    attributes: tuple[str, ...]
    reason: str
    holds: Callable[[Attributes], bool]


_USAGE: Final = (attr.GEN_AI_USAGE_INPUT_TOKENS, attr.GEN_AI_USAGE_OUTPUT_TOKENS)
_RESPONSE: Final = (
    attr.GEN_AI_RESPONSE_FINISH_REASONS,
    attr.GEN_AI_RESPONSE_ID,
    attr.GEN_AI_RESPONSE_MODEL,
)
_INFERENCE: Final = "gen_ai.client.inference"


def _abandoned(attributes: Attributes) -> bool:
    return attributes.get(attr.OTEL_AGENTS_STREAM_ABANDONED) is True


def _streamed(attributes: Attributes) -> bool:
    return attributes.get(attr.GEN_AI_REQUEST_STREAM) is True


def _generated(attributes: Attributes) -> bool:
    return attributes.get(attr.GEN_AI_OPERATION_NAME) == Operation.GENERATE_CONTENT.value


def _custom(attributes: Attributes) -> bool:
    return attributes.get(attr.GEN_AI_PROVIDER_NAME) == "custom"


def _asked_by_a_framework(attributes: Attributes) -> bool:
    told = (attr.GEN_AI_RESPONSE_ID, attr.GEN_AI_RESPONSE_MODEL, attr.OPENAI_API_TYPE)
    return not any(name in attributes for name in told)


def _background(attributes: Attributes) -> bool:
    return (
        attributes.get(attr.OPENAI_API_TYPE) == OpenAIApiType.RESPONSES.value
        and attr.GEN_AI_RESPONSE_FINISH_REASONS not in attributes
    )


def _unfinished(attributes: Attributes) -> bool:
    pending = (ResponseStatus.QUEUED.value, ResponseStatus.IN_PROGRESS.value)
    return attributes.get(attr.GEN_AI_RESPONSE_STATUS) in pending


def _called_no_model(attributes: Attributes) -> bool:
    return not any(name in attributes for name in (*_USAGE, attr.GEN_AI_RESPONSE_FINISH_REASONS))


def _told_no_usage(attributes: Attributes) -> bool:
    return not any(name in attributes for name in _USAGE)


def _sdk_not_seen(attributes: Attributes) -> bool:
    known = (Provider.OPENAI.value, Provider.ANTHROPIC.value, Provider.MISTRAL_AI.value)
    provider = attributes.get(attr.GEN_AI_PROVIDER_NAME)
    return provider in known and attr.OPENAI_API_TYPE not in attributes


def _unknown_provider(attributes: Attributes) -> bool:
    known = {provider.value for provider in Provider}
    return attributes.get(attr.GEN_AI_PROVIDER_NAME) not in known


GAPS: Final = (
    Gap(_INFERENCE, _USAGE, "a stream that was not asked for usage tells none", _streamed),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE, attr.SERVER_ADDRESS),
        "a model class of the application's own tells nothing",
        _custom,
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID, attr.GEN_AI_RESPONSE_MODEL),
        "a framework's own client keeps both to itself",
        _asked_by_a_framework,
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID,),
        "a router that translates a stream keeps its id to itself",
        _streamed,
    ),
    Gap(_INFERENCE, (*_RESPONSE, *_USAGE), "a stream was left before its end", _abandoned),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE),
        "images and audio have no ids or reasons, and not all have usage",
        _generated,
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_FINISH_REASONS, *_USAGE),
        "a response in the background that was not fetched here",
        _background,
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID,),
        "a framework that reports for an SDK that is not seen may keep no id",
        _sdk_not_seen,
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID, attr.SERVER_ADDRESS, *_USAGE),
        "a model class of the application's own, which has named its provider",
        _unknown_provider,
    ),
    Gap(
        "gen_ai.fetch_response.client",
        (attr.GEN_AI_RESPONSE_FINISH_REASONS,),
        "a response that is not complete",
        _unfinished,
    ),
    Gap(
        "gen_ai.invoke_agent.internal",
        (*_USAGE, attr.GEN_AI_RESPONSE_FINISH_REASONS),
        "an agent that called no model, or one that tells nothing",
        _called_no_model,
    ),
    Gap(
        "gen_ai.invoke_agent.internal",
        _USAGE,
        "an agent whose streams were not asked for usage",
        _told_no_usage,
    ),
)
"""Every gap; one that no test needs is a mistake, which the suite reports."""

_used: frozenset[int] = frozenset()


def is_gap(span_type: str, name: str, attributes: Attributes, scope: str) -> bool:
    """Whether ``name`` need not be there; notes which row said so."""
    global _used
    for number, gap in enumerate(GAPS):
        if gap.type == span_type and name in gap.attributes and gap.holds(attributes):
            _used |= {number}
            return True
    return False


def used_gaps() -> frozenset[Gap]:
    """The rows that some check of this process has needed."""
    return frozenset(GAPS[number] for number in _used)
