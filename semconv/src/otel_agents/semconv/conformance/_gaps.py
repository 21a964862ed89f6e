"""Where a recommended attribute is not to be had: neither request nor response holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import (
    FinishReason,
    OpenAIApiType,
    Operation,
    Provider,
    ResponseStatus,
)

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class MissingAttribute:
    """An attribute that a span has not, and by what it is judged whether it should.

    Attributes:
        name: The attribute.
        scope: The name of the span's instrumentation scope.
        attributes: Those that the span has.
        told: What the inferences below the span have told by its end.
    """

    name: str
    scope: str
    attributes: Attributes
    told: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Gap:
    """Attributes that a span of ``type`` need not have where ``holds``, and why.

    What holds is given by the library, the provider and the outcome, never by what is missing.

    Attributes:
        type: The span's type.
        attributes: What need not be there.
        reason: Why.
        holds: Whether it is so.
        libraries: Whose spans these are, by the last part of the scope's name; all if there is none.
    """

    type: str
    attributes: tuple[str, ...]
    reason: str
    holds: Callable[[MissingAttribute], bool]
    libraries: tuple[str, ...] = ()

    def covers(self, span_type: str, missing: MissingAttribute) -> bool:
        """Whether a span of that type need not have it."""
        library = missing.scope.rpartition(".")[2]
        return (
            self.type == span_type
            and missing.name in self.attributes
            and (not self.libraries or library in self.libraries)
            and self.holds(missing)
        )


_USAGE: Final = (attr.GEN_AI_USAGE_INPUT_TOKENS, attr.GEN_AI_USAGE_OUTPUT_TOKENS)
_RESPONSE: Final = (
    attr.GEN_AI_RESPONSE_FINISH_REASONS,
    attr.GEN_AI_RESPONSE_ID,
    attr.GEN_AI_RESPONSE_MODEL,
)
_IDENTITY: Final = (attr.GEN_AI_RESPONSE_ID, attr.GEN_AI_RESPONSE_MODEL)
_INFERENCE: Final = "gen_ai.client.inference"
_KNOWN: Final = tuple(provider.value for provider in Provider)


def _is(name: str, *values: Any) -> Callable[[MissingAttribute], bool]:
    """Whether the attribute ``name`` has one of ``values``."""
    return lambda missing: missing.attributes.get(name) in values


def _always(missing: MissingAttribute) -> bool:
    return True


def _unknown_provider(missing: MissingAttribute) -> bool:
    return missing.attributes.get(attr.GEN_AI_PROVIDER_NAME) not in _KNOWN


def _streams(missing: MissingAttribute) -> bool:
    return missing.attributes.get(attr.GEN_AI_REQUEST_STREAM) is True


def _completes_text(missing: MissingAttribute) -> bool:
    return missing.attributes.get(attr.GEN_AI_OPERATION_NAME) == Operation.TEXT_COMPLETION


def _is_groq(missing: MissingAttribute) -> bool:
    return missing.attributes.get(attr.GEN_AI_PROVIDER_NAME) == Provider.GROQ


def _streams_without_usage(missing: MissingAttribute) -> bool:
    """Whether it is a stream, and no half of its usage is told."""
    return _streams(missing) and not any(name in missing.attributes for name in _USAGE)


def _streams_completions(missing: MissingAttribute) -> bool:
    """Whether it is a stream whose usage has to be asked for, and no half of that is told."""
    usage_is_opt_in = (
        missing.attributes.get(attr.OPENAI_API_TYPE) == OpenAIApiType.CHAT_COMPLETIONS
        or _completes_text(missing)
        or _is_groq(missing)
    )
    return usage_is_opt_in and _streams_without_usage(missing)


def _streams_with_generated_ids(missing: MissingAttribute) -> bool:
    """Whether LiteLLM, in its oldest version, makes the ids of such a stream itself."""
    return _streams(missing) and (_completes_text(missing) or _is_groq(missing))


def _reported_by_no_inference(missing: MissingAttribute) -> bool:
    return missing.name not in missing.told


GAPS: Final = (
    Gap(
        _INFERENCE,
        _USAGE,
        "a stream of completions that was not asked for usage tells none",
        _streams_completions,
        ("openai", "litellm"),
    ),
    Gap(
        _INFERENCE,
        _USAGE,
        "AG2's first versions ask for no usage of the streams that they put together",
        _streams_without_usage,
        ("ag2_classic",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID,),
        "LiteLLM's oldest versions make the ids of Groq's streams and of texts themselves",
        _streams_with_generated_ids,
        ("litellm",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_MODEL,),
        "LiteLLM calls the model of a stream by a name of its own where it hides the provider's",
        _streams,
        ("litellm",),
    ),
    Gap(
        _INFERENCE,
        _IDENTITY,
        "Bedrock's answers have neither",
        _is(attr.GEN_AI_PROVIDER_NAME, Provider.AWS_BEDROCK.value),
        ("litellm",),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE, attr.SERVER_ADDRESS),
        "a model class of the application's own tells nothing",
        _is(attr.GEN_AI_PROVIDER_NAME, "custom"),
        ("ag2", "ag2_classic", "autogen", "crewai", "litellm"),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID, attr.SERVER_ADDRESS, *_USAGE),
        "a model class of the application's own, which has named its provider",
        _unknown_provider,
        ("ag2", "litellm"),
    ),
    Gap(
        _INFERENCE,
        (attr.SERVER_ADDRESS,),
        "AG2's client of Cerebras leaves the address to the SDK that it makes at each call",
        _is(attr.GEN_AI_PROVIDER_NAME, "cerebras"),
        ("ag2_classic",),
    ),
    Gap(
        _INFERENCE,
        _IDENTITY,
        "AutoGen's clients keep both to themselves",
        _always,
        ("autogen",),
    ),
    Gap(
        _INFERENCE,
        _IDENTITY,
        "AG2's clients of these providers keep both to themselves",
        _is(
            attr.GEN_AI_PROVIDER_NAME,
            Provider.AWS_BEDROCK.value,
            Provider.GCP_GEMINI.value,
            Provider.GCP_VERTEX_AI.value,
        ),
        ("ag2",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID,),
        "AG2's client of Mistral keeps the id to itself, and in 1.0 those of the others",
        _is(
            attr.GEN_AI_PROVIDER_NAME,
            Provider.ANTHROPIC.value,
            Provider.MISTRAL_AI.value,
            Provider.OPENAI.value,
        ),
        ("ag2",),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE),
        "a stream was left before its end",
        _is(attr.OTEL_AGENTS_STREAM_ABANDONED, True),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE),
        "images, audio and decisions have no ids or reasons, and not all have usage",
        _is(attr.GEN_AI_OPERATION_NAME, Operation.GENERATE_CONTENT.value),
        ("openai",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_MODEL,),
        "the answer to a request for a compaction names no model",
        _is(attr.GEN_AI_RESPONSE_FINISH_REASONS, (FinishReason.COMPACTION.value,)),
        ("openai",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_FINISH_REASONS, *_USAGE),
        "a response in the background that was not fetched here",
        _is(attr.OTEL_AGENTS_RESPONSE_PENDING, True),
    ),
    Gap(
        "gen_ai.fetch_response.client",
        (attr.GEN_AI_RESPONSE_FINISH_REASONS,),
        "a response that is not complete",
        _is(
            attr.GEN_AI_RESPONSE_STATUS,
            ResponseStatus.QUEUED.value,
            ResponseStatus.IN_PROGRESS.value,
        ),
    ),
    Gap(
        "gen_ai.invoke_agent.internal",
        (*_USAGE, attr.GEN_AI_RESPONSE_FINISH_REASONS),
        "an agent that called no model, or none that told it",
        _reported_by_no_inference,
    ),
)
"""Every gap; one that no test needs is a mistake, which the suite reports."""

_used: frozenset[int] = frozenset()


def is_gap(span_type: str, missing: MissingAttribute) -> bool:
    """Whether it need not be there; notes which row said so."""
    global _used
    for number, gap in enumerate(GAPS):
        if gap.covers(span_type, missing):
            _used |= {number}
            return True
    return False


def used_gaps() -> frozenset[Gap]:
    """The rows that some check of this process has needed."""
    return frozenset(GAPS[number] for number in _used)
