"""The instrumentors that the benchmarks measure: ours, OpenTelemetry's, OpenInference's, OpenLLMetry's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from measurement import Variant
from opentelemetry.sdk.trace import TracerProvider

__all__ = [
    "INSTRUMENTORS",
    "OF_CLIENTS",
    "OURS",
    "RECORDED",
    "UNRECORDED",
    "instrumented",
    "instrumentor",
    "packages_of",
]

OURS: Final = "ours"
_PREFIXES: Final = MappingProxyType(
    {
        OURS: "otel_agents.instrumentors.",
        "official": "opentelemetry.instrumentation.",
        "openinference": "openinference.instrumentation.",
        "openllmetry": "opentelemetry.instrumentation.",
    }
)
INSTRUMENTORS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "openai": {
            OURS: "openai:OpenAIInstrumentor",
            "official": "genai.openai:OpenAIInstrumentor",
            "openinference": "openai:OpenAIInstrumentor",
            "openllmetry": "openai:OpenAIInstrumentor",
        },
        "anthropic": {
            OURS: "anthropic:AnthropicInstrumentor",
            "official": "genai.anthropic:AnthropicInstrumentor",
            "openinference": "anthropic:AnthropicInstrumentor",
            "openllmetry": "anthropic:AnthropicInstrumentor",
        },
        "google_genai": {
            OURS: "google_genai:GoogleGenAIInstrumentor",
            "official": "google_genai:GoogleGenAiSdkInstrumentor",
            "openinference": "google_genai:GoogleGenAIInstrumentor",
            "openllmetry": "google_generativeai:GoogleGenerativeAiInstrumentor",
        },
        "bedrock": {
            OURS: "bedrock:BedrockInstrumentor",
            "official": "genai.bedrock:BedrockInstrumentor",
            "openinference": "bedrock:BedrockInstrumentor",
            "openllmetry": "bedrock:BedrockInstrumentor",
        },
        "groq": {
            OURS: "groq:GroqInstrumentor",
            "openinference": "groq:GroqInstrumentor",
            "openllmetry": "groq:GroqInstrumentor",
        },
        "mistralai": {
            OURS: "mistralai:MistralAIInstrumentor",
            "openinference": "mistralai:MistralAIInstrumentor",
            "openllmetry": "mistralai:MistralAiInstrumentor",
        },
        "litellm": {
            OURS: "litellm:LiteLLMInstrumentor",
            "openinference": "litellm:LiteLLMInstrumentor",
            "openllmetry": "litellm:LiteLLMInstrumentor",
        },
        "crewai": {
            OURS: "crewai:CrewAIInstrumentor",
            "openinference": "crewai:CrewAIInstrumentor",
            "openllmetry": "crewai:CrewAIInstrumentor",
        },
        "langchain": {
            OURS: "langchain:LangChainInstrumentor",
            "official": "genai.langchain:LangChainInstrumentor",
            "openinference": "langchain:LangChainInstrumentor",
            "openllmetry": "langchain:LangchainInstrumentor",
        },
        "llama_index": {
            OURS: "llama_index:LlamaIndexInstrumentor",
            "official": "genai.llama_index:LlamaIndexInstrumentor",
            "openinference": "llama_index:LlamaIndexInstrumentor",
            "openllmetry": "llamaindex:LlamaIndexInstrumentor",
        },
        "openai_agents": {
            OURS: "openai_agents:OpenAIAgentsInstrumentor",
            "official": "genai.openai_agents:OpenAIAgentsInstrumentor",
            "openinference": "openai_agents:OpenAIAgentsInstrumentor",
            "openllmetry": "openai_agents:OpenAIAgentsInstrumentor",
        },
        "ag2": {
            OURS: "ag2:AG2Instrumentor",
        },
        "autogen": {
            OURS: "autogen:AutoGenInstrumentor",
            "openinference": "autogen_agentchat:AutogenAgentChatInstrumentor",
        },
        "dspy": {
            OURS: "dspy:DSPyInstrumentor",
            "official": "genai.dspy:DSPyInstrumentor",
            "openinference": "dspy:DSPyInstrumentor",
        },
    }
)
"""Of each library, by package: what its entry points name."""
OF_CLIENTS: Final = frozenset({("openinference", "bedrock"), ("openllmetry", "bedrock")})
"""Packages that instrument the clients that are made, and no others: they need not be undone."""
_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_HIDE: Final = ("OPENINFERENCE_HIDE_INPUTS", "OPENINFERENCE_HIDE_OUTPUTS")
_COMMON: Final = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "TRACELOOP_TELEMETRY": "false",
}
RECORDED: Final = MappingProxyType(
    {**_COMMON, _CAPTURE: "SPAN_ONLY", "TRACELOOP_TRACE_CONTENT": "true"}
)
UNRECORDED: Final = MappingProxyType(
    {
        **_COMMON,
        _CAPTURE: "NO_CONTENT",
        "TRACELOOP_TRACE_CONTENT": "false",
        **dict.fromkeys(_HIDE, "true"),
    }
)
"""Variables of all packages, so that content is recorded on spans, or is not."""


def instrumentor(package: str, library: str) -> Any:
    """Return the instrumentor of a library."""
    module, _, name = INSTRUMENTORS[library][package].partition(":")
    return getattr(import_module(_PREFIXES[package] + module), name)()


def instrumented(
    package: str, libraries: Iterable[str], run: Callable[[], object], tracers: TracerProvider
) -> Variant:
    """Return the variant of a run while libraries are instrumented."""
    applied = [instrumentor(package, library) for library in libraries]

    def enter() -> None:
        for one in applied:
            one.instrument(tracer_provider=tracers)

    def leave() -> None:
        for one in applied:
            one.uninstrument()

    return Variant(run, enter, leave)


def packages_of(library: str) -> tuple[str, ...]:
    """Return the packages that instrument a library, ours first."""
    return tuple(INSTRUMENTORS[library])
