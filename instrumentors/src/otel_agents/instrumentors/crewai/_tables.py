"""What is patched: the target of each operation, by what versions have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from otel_agents.instrumentors._core.calls.around import Begin
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _busless, _clients, _flows, _knowledge, _models, _runs, _statistics, _tools

__all__ = ["ABSTRACT", "OPTIONAL", "OPTIONAL_ABSTRACT", "REQUIRED"]

Make = Callable[[Telemetry], Begin]

_FOR_EACH: Final = _runs.runs("kickoff_for_each")

REQUIRED: Final[dict[str, Make]] = {
    "crewai.agents.cache.cache_handler:CacheHandler.read": _tools.looked_up,
    "crewai.crew:Crew.kickoff": _runs.crew,
    "crewai.crew:Crew.kickoff_for_each": _FOR_EACH,
    "crewai.crew:Crew.kickoff_for_each_async": _FOR_EACH,
    "crewai.crew:Crew.replay": _runs.replay,
    "crewai.crew:Crew.test": _runs.runs("test"),
    "crewai.crew:Crew.train": _runs.runs("train"),
    "crewai.flow.flow:Flow.kickoff_async": _flows.flow,
    "crewai.flow.flow:Flow._execute_method": _flows.method,
    "crewai.task:Task.execute_async": _runs.asynchronous_task,
    "crewai.task:Task._execute_core": _runs.task,
    "crewai.telemetry.telemetry:Telemetry.__init__": _statistics.made,
    "crewai.utilities.planning_handler:CrewPlanner._handle_crew_planning": _runs.planning,
}
"""In every version."""

_BASE_AGENT: Final = "crewai.agents.agent_builder.base_agent:BaseAgent"
_TOOL_USAGE: Final = "crewai.tools.tool_usage:ToolUsage"
_MEMORY: Final = "crewai.memory.unified_memory:Memory"
_EARLY: Final = "crewai.memory"
_PROVIDERS: Final = "crewai.llms.providers"
_COMPLETIONS: Final = {
    "anthropic": "AnthropicCompletion",
    "azure": "AzureCompletion",
    "bedrock": "BedrockCompletion",
    "gemini": "GeminiCompletion",
    "openai": "OpenAICompletion",
}
_CLIENTS: Final = {
    f"{_PROVIDERS}.{provider}.completion:{completion}.{method}"
    for provider, completion in _COMPLETIONS.items()
    for method in ("_get_sync_client", "_get_async_client", "_ensure_async_client")
}
_INDIRECT: Final = {f"{_PROVIDERS}.gemini.completion:GeminiCompletion._get_async_client"}
"""Calls the other one."""
_KNOWLEDGE: Final = "crewai.knowledge.knowledge:Knowledge"

OPTIONAL: Final[dict[str, Make]] = {
    "crewai.crew:Crew.akickoff": _runs.crew,
    "crewai.crew:Crew.akickoff_for_each": _FOR_EACH,
    "crewai.task:Task._aexecute_core": _runs.task,
    "crewai.agent.core:Agent.kickoff": _runs.lone_agent,
    "crewai.agent.core:Agent.kickoff_async": _runs.lone_agent,
    "crewai.agent.core:Agent.akickoff": _runs.lone_agent,
    "crewai.lite_agent:LiteAgent.kickoff": _runs.lone_agent,
    "crewai.utilities.reasoning_handler:AgentReasoning.handle_agent_reasoning": _runs.reasoning,
    "crewai.task:process_guardrail": _runs.guardrail,
    "crewai.task:Task._process_guardrail": _runs.guardrail,
    "crewai.agent.core:process_guardrail": _runs.guardrail,
    "crewai.core.providers.human_input:SyncHumanInputProvider._prompt_input": _runs.human_input,
    "crewai.core.providers.human_input:SyncHumanInputProvider._prompt_input_async": (
        _runs.human_input
    ),
    "crewai.agents.agent_builder.base_agent_executor_mixin:CrewAgentExecutorMixin._ask_human_input": (
        _runs.human_input
    ),
    "crewai.flow.flow:Flow.resume_async": _flows.resumption,
    "crewai.flow.flow:Flow.ask": _flows.question,
    "crewai.flow.flow:Flow._request_human_feedback": _flows.question,
    "crewai.events.event_bus:CrewAIEventsBus.emit": _tools.emitted,
    **dict.fromkeys(sorted(_CLIENTS - _INDIRECT), _clients.taken),
    **{
        f"{_PROVIDERS}.{provider}.completion:{completion}._extract_finish_reason_and_id": (
            _clients.read
        )
        for provider, completion in _COMPLETIONS.items()
    },
    "crewai.llms.base_llm:BaseLLM._track_token_usage_internal": _clients.counted,
    f"{_PROVIDERS}.bedrock.completion:BedrockCompletion._track_token_usage_internal": (
        _clients.counted
    ),
    f"{_TOOL_USAGE}._use": _busless.used,
    f"{_TOOL_USAGE}._check_tool_repeated_usage": _busless.repeated,
    f"{_TOOL_USAGE}.on_tool_error": _busless.failed,
    f"{_MEMORY}.recall": _knowledge.recall,
    f"{_MEMORY}.arecall": _knowledge.recall,
    f"{_MEMORY}.remember": _knowledge.remember,
    f"{_MEMORY}._background_encode_batch": _knowledge.remember,
    f"{_EARLY}.short_term.short_term_memory:ShortTermMemory.search": _knowledge.recall,
    f"{_EARLY}.short_term.short_term_memory:ShortTermMemory.save": _knowledge.remember,
    f"{_EARLY}.long_term.long_term_memory:LongTermMemory.search": _knowledge.recall,
    f"{_EARLY}.long_term.long_term_memory:LongTermMemory.save": _knowledge.remember,
    f"{_EARLY}.memory:Memory.search": _knowledge.recall,
    f"{_EARLY}.entity.entity_memory:EntityMemory.save": _knowledge.remember,
    f"{_KNOWLEDGE}.query": _knowledge.query,
    f"{_KNOWLEDGE}.aquery": _knowledge.query,
}
"""In some versions, and there under one of these names."""

ABSTRACT: Final[dict[str, Make]] = {f"{_BASE_AGENT}.execute_task": _runs.agent}
"""Implemented by CrewAI's own classes and by applications'."""

OPTIONAL_ABSTRACT: Final[dict[str, Make]] = {
    f"{_BASE_AGENT}.aexecute_task": _runs.agent,
    "crewai.llms.base_llm:BaseLLM.call": _models.asked,
    "crewai.llms.base_llm:BaseLLM.acall": _models.asked,
}
"""The same, in some versions."""
