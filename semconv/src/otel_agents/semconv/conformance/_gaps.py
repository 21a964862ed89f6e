"""Recommended attributes that are unavailable: neither request nor response holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import (
    FinishReason,
    OpenAIApiType,
    Operation,
    OutputType,
    Provider,
    ResponseStatus,
)

Attributes = Mapping[str, Any]


@dataclass(frozen=True)
class MissingAttribute:
    """A missing attribute, and what decides whether the span should have it.

    Attributes:
        name: The attribute.
        scope: The name of the span's instrumentation scope.
        attributes: The attributes of the span.
        reported_below: The attributes of the inferences below the span, at its end.
    """

    name: str
    scope: str
    attributes: Attributes
    reported_below: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Gap:
    """Attributes that a span of ``type`` may be without if ``holds`` is true, and why.

    The condition depends on the library, the provider and the outcome, never on what is missing.

    Example:
        >>> gap = GAPS[0]
        >>> gap.type, gap.libraries
        ('gen_ai.client.inference', ('openai', 'litellm'))

    Attributes:
        type: The span's type.
        attributes: The attributes that may be missing.
        reason: Why.
        holds: The condition.
        libraries: The libraries, by the last part of the scope's name; empty for all.
    """

    type: str
    attributes: tuple[str, ...]
    reason: str
    holds: Callable[[MissingAttribute], bool]
    libraries: tuple[str, ...] = ()

    def covers(self, span_type: str, missing: MissingAttribute) -> bool:
        """Return whether a span of that type may be without the attribute."""
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
    """Return a condition: the attribute ``name`` has one of ``values``."""
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
    """Return whether it is a stream that reported no usage at all."""
    return _streams(missing) and not any(name in missing.attributes for name in _USAGE)


def _streams_completions(missing: MissingAttribute) -> bool:
    """Return whether it is a stream without usage, whose usage must be requested."""
    usage_is_opt_in = (
        missing.attributes.get(attr.OPENAI_API_TYPE) == OpenAIApiType.CHAT_COMPLETIONS
        or _completes_text(missing)
        or _is_groq(missing)
    )
    return usage_is_opt_in and _streams_without_usage(missing)


def _streams_with_generated_ids(missing: MissingAttribute) -> bool:
    """Return whether it is a stream whose ids LiteLLM's oldest version generates."""
    return _streams(missing) and (_completes_text(missing) or _is_groq(missing))


def _has_no_reason(missing: MissingAttribute) -> bool:
    return attr.GEN_AI_RESPONSE_FINISH_REASONS not in missing.attributes


def _in_conversation(missing: MissingAttribute) -> bool:
    return attr.GEN_AI_CONVERSATION_ID in missing.attributes


def _reported_by_no_inference(missing: MissingAttribute) -> bool:
    return missing.name not in missing.reported_below


GAPS: Final = (
    Gap(
        _INFERENCE,
        _USAGE,
        "a stream of completions reports usage only on request",
        _streams_completions,
        ("openai", "litellm"),
    ),
    Gap(
        _INFERENCE,
        _USAGE,
        "AG2's first versions do not request the usage of the streams that they collect",
        _streams_without_usage,
        ("ag2_classic",),
    ),
    Gap(
        _INFERENCE,
        _USAGE,
        "Anthropic's legacy completions report no usage",
        _completes_text,
        ("anthropic",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID,),
        "LiteLLM's oldest versions generate the ids of Groq's streams and of text completions",
        _streams_with_generated_ids,
        ("litellm",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_MODEL,),
        "LiteLLM gives the model of a stream its own name where it hides the provider's",
        _streams,
        ("litellm",),
    ),
    Gap(
        _INFERENCE,
        _IDENTITY,
        "Bedrock's responses have neither",
        _is(attr.GEN_AI_PROVIDER_NAME, Provider.AWS_BEDROCK.value),
        ("litellm",),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE, attr.SERVER_ADDRESS),
        "an application's own model class reports nothing",
        _is(attr.GEN_AI_PROVIDER_NAME, "custom"),
        (
            "ag2",
            "ag2_classic",
            "autogen",
            "crewai",
            "dspy",
            "langchain",
            "litellm",
            "llama_index",
            "mcp",
            "openai_agents",
        ),
    ),
    Gap(
        "gen_ai.embeddings.client",
        (attr.GEN_AI_RESPONSE_MODEL, attr.GEN_AI_USAGE_INPUT_TOKENS, attr.SERVER_ADDRESS),
        "an embedding class of LlamaIndex returns nothing but vectors",
        _unknown_provider,
        ("llama_index",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID, attr.SERVER_ADDRESS, *_USAGE),
        "an application's own model class, which names its provider",
        _unknown_provider,
        ("ag2", "langchain", "litellm"),
    ),
    Gap(
        _INFERENCE,
        (attr.SERVER_ADDRESS,),
        "an SDK that is not instrumented, whose client AG2 does not keep or which has no base URL",
        _is(
            attr.GEN_AI_PROVIDER_NAME,
            "cerebras",
            Provider.AWS_BEDROCK.value,
            Provider.GCP_GEMINI.value,
            Provider.GCP_VERTEX_AI.value,
            Provider.MISTRAL_AI.value,
        ),
        ("ag2", "ag2_classic"),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_USAGE_OUTPUT_TOKENS, attr.GEN_AI_RESPONSE_ID),
        "AG2 leaves out the tokens of Gemini's thoughts, which are billed, and generates the id",
        _is(attr.GEN_AI_PROVIDER_NAME, Provider.GCP_GEMINI.value, Provider.GCP_VERTEX_AI.value),
        ("ag2_classic",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_MODEL, attr.SERVER_ADDRESS),
        "CrewAI's classes return neither; the address is known where the application sets it",
        _always,
        ("crewai",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_FINISH_REASONS, attr.GEN_AI_RESPONSE_ID),
        "CrewAI executes some tools before it says either of the response that requested them",
        _has_no_reason,
        ("crewai",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID,),
        "CrewAI's class for Bedrock returns none",
        _is(attr.GEN_AI_PROVIDER_NAME, Provider.AWS_BEDROCK.value),
        ("crewai",),
    ),
    Gap(
        _INFERENCE,
        _IDENTITY,
        "the Agents SDK drops the model that responded, and the ids of chat completions",
        _always,
        ("openai_agents",),
    ),
    Gap(
        _INFERENCE,
        (*_IDENTITY, attr.SERVER_ADDRESS),
        "AutoGen's clients return neither; the address is known where the application sets it",
        _always,
        ("autogen",),
    ),
    Gap(
        _INFERENCE,
        _IDENTITY,
        "DSPy's own engine leaves both out of a stream of chat completions",
        _streams,
        ("dspy",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_ID, attr.GEN_AI_RESPONSE_FINISH_REASONS),
        "LangChain's classes return neither for some providers and APIs",
        _always,
        ("langchain",),
    ),
    Gap(
        _INFERENCE,
        _IDENTITY,
        "AG2's clients of these providers return neither",
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
        "AG2's Mistral client does not return the id, nor do the others in 1.0",
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
        _RESPONSE,
        "Mistral's conversations have no ids or reasons, and name their model in a message alone",
        _in_conversation,
        ("mistralai",),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE),
        "the stream was abandoned",
        _is(attr.OTEL_AGENTS_STREAM_ABANDONED, True),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE),
        "images, audio, documents and decisions have no ids or reasons, and not all have usage",
        _is(attr.GEN_AI_OPERATION_NAME, Operation.GENERATE_CONTENT.value),
        ("openai", "groq", "mistralai"),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_MODEL,),
        "Converse and most models' own bodies on Bedrock name no model in the response",
        _always,
        ("bedrock",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_FINISH_REASONS, *_USAGE),
        "images, and bodies of unknown models on Bedrock, have no reasons and may have no usage",
        _is(attr.GEN_AI_OPERATION_NAME, Operation.GENERATE_CONTENT.value),
        ("bedrock",),
    ),
    Gap(
        "gen_ai.embeddings.client",
        (attr.GEN_AI_RESPONSE_MODEL,),
        "the embeddings of Bedrock's models name no model in the response",
        _always,
        ("bedrock",),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE),
        "Imagen's responses have pictures and nothing else",
        _is(attr.GEN_AI_OUTPUT_TYPE, OutputType.IMAGE.value),
        ("google_genai",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_MODEL,),
        "the operation that generates a video names no model",
        _is(attr.OTEL_AGENTS_RESPONSE_PENDING, True),
        ("google_genai",),
    ),
    Gap(
        "gen_ai.embeddings.client",
        (attr.GEN_AI_RESPONSE_MODEL,),
        "the responses to Google's embeddings requests name no model",
        _always,
        ("google_genai",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_MODEL,),
        "the response to a compaction request names no model",
        _is(attr.GEN_AI_RESPONSE_FINISH_REASONS, (FinishReason.COMPACTION.value,)),
        ("openai",),
    ),
    Gap(
        _INFERENCE,
        (attr.GEN_AI_RESPONSE_FINISH_REASONS, *_USAGE),
        "a background response that was not fetched in this process",
        _is(attr.OTEL_AGENTS_RESPONSE_PENDING, True),
    ),
    Gap(
        "gen_ai.fetch_response.client",
        (attr.GEN_AI_RESPONSE_FINISH_REASONS,),
        "the response is not complete",
        _is(
            attr.GEN_AI_RESPONSE_STATUS,
            ResponseStatus.QUEUED.value,
            ResponseStatus.IN_PROGRESS.value,
        ),
    ),
    Gap(
        _INFERENCE,
        (*_RESPONSE, *_USAGE, attr.SERVER_ADDRESS),
        "an application records as much of its own model call as it knows",
        _always,
        ("api",),
    ),
    Gap(
        "gen_ai.embeddings.client",
        (attr.GEN_AI_RESPONSE_MODEL, attr.GEN_AI_USAGE_INPUT_TOKENS, attr.SERVER_ADDRESS),
        "an application records as much of its own model call as it knows",
        _always,
        ("api",),
    ),
    Gap(
        "gen_ai.invoke_agent.internal",
        (*_USAGE, attr.GEN_AI_RESPONSE_FINISH_REASONS),
        "the agent called no model that reported it",
        _reported_by_no_inference,
    ),
)
"""All gaps; the test suite fails if one is never needed."""

_used: frozenset[int] = frozenset()


def is_gap(span_type: str, missing: MissingAttribute) -> bool:
    """Return whether the attribute may be missing, and record which row decided that."""
    global _used
    for number, gap in enumerate(GAPS):
        if gap.covers(span_type, missing):
            _used |= {number}
            return True
    return False


def used_gaps() -> frozenset[Gap]:
    """Return the rows that a check in this process has needed."""
    return frozenset(GAPS[number] for number in _used)
