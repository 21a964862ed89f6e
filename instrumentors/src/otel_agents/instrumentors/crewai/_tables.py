"""The patch table: each target, and the versions of CrewAI that have it."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._core.calls.call import instance
from otel_agents.instrumentors._core.calls.watching import after, watch
from otel_agents.instrumentors._core.patching.patches import Patch

from . import (
    _early_tools,
    _flows,
    _guardrails,
    _humans,
    _knowledge,
    _model_tools,
    _models,
    _numbers,
    _plans,
    _runs,
    _statistics,
    _tasks,
    _tools,
)

__all__ = ["PATCHES"]

_FOR_EACH: Final = _numbers.repeated("kickoff_for_each", len, by_copy=True)
_CREWS: Final = (
    Patch("crewai.crew:Crew.kickoff", _runs.crew),
    Patch("crewai.crew:Crew.akickoff", _runs.crew, since="1.7.0"),
    Patch("crewai.crew:Crew.kickoff_for_each", _FOR_EACH),
    Patch("crewai.crew:Crew.kickoff_for_each_async", _FOR_EACH),
    Patch("crewai.crew:Crew.akickoff_for_each", _FOR_EACH, since="1.7.0"),
    Patch("crewai.crew:Crew.copy", after(_numbers.on_copy)),
    Patch("crewai.crew:Crew.replay", _runs.replay),
    Patch("crewai.crew:Crew._execute_tasks", watch(_tasks.on_replay)),
    Patch("crewai.crew:Crew.test", _numbers.repeated("test", int)),
    Patch("crewai.crew:Crew.train", _numbers.repeated("train", int)),
    Patch("crewai.telemetry.telemetry:Telemetry.__init__", after(_statistics.on_telemetry)),
)
_TASKS: Final = (
    Patch("crewai.task:Task.execute_async", watch(_tasks.on_async_execution)),
    Patch("crewai.task:Task._execute_core", _tasks.task, once_per=instance),
    Patch("crewai.task:Task._aexecute_core", _tasks.task, since="1.7.0", once_per=instance),
    Patch(
        "crewai.tasks.conditional_task:ConditionalTask.get_skipped_task_output",
        watch(_tasks.on_skipped),
        overrides=True,
    ),
)
_GUARDRAILS: Final = (
    # A version that has both functions calls only the second.
    Patch(
        "crewai.task:Task._process_guardrail",
        _guardrails.guardrail,
        since="0.118.0",
        until="0.130.0",
    ),
    Patch("crewai.task:process_guardrail", _guardrails.guardrail, since="0.130.0"),
    Patch("crewai.agent.core:process_guardrail", _guardrails.guardrail, since="1.9.0"),
    Patch("crewai.lite_agent:process_guardrail", _guardrails.guardrail, since="1.3.0"),
)

_BASE_AGENT: Final = "crewai.agents.agent_builder.base_agent:BaseAgent"
_AGENTS: Final = (
    *(
        Patch(
            f"{_BASE_AGENT}.{method}",
            _runs.agent,
            since=since,
            subclasses=True,
            once_per=_runs.acting_agent,
        )
        for method, since in (("execute_task", None), ("aexecute_task", "1.7.0"))
    ),
    *(
        Patch(target, _runs.agent, since=since, once_per=_runs.acting_agent)
        for target, since in (
            ("crewai.agent.core:Agent.kickoff", "1.3.0"),
            ("crewai.agent.core:Agent.kickoff_async", "1.3.0"),
            ("crewai.agent.core:Agent.akickoff", "1.9.0"),
            ("crewai.lite_agent:LiteAgent.kickoff", "0.114.0"),
        )
    ),
)
_PLANS: Final = (
    Patch("crewai.utilities.planning_handler:CrewPlanner._handle_crew_planning", _plans.plan),
    Patch(
        "crewai.utilities.reasoning_handler:AgentReasoning.handle_agent_reasoning",
        _plans.plan,
        since="0.121.0",
    ),
    Patch("crewai.agents.step_executor:StepExecutor.execute", _plans.plan_step, since="1.11.0"),
    Patch(
        "crewai.agents.planner_observer:PlannerObserver.observe",
        _plans.observation,
        since="1.11.0",
    ),
)

_HUMAN: Final = "crewai.core.providers.human_input:SyncHumanInputProvider"
_EARLY_HUMAN: Final = "crewai.agents.agent_builder.base_agent_executor_mixin:CrewAgentExecutorMixin"
_HUMAN_INPUT: Final = (
    Patch(f"{_HUMAN}._prompt_input", _humans.review, since="1.10.1"),
    Patch(f"{_HUMAN}._prompt_input_async", _humans.review, since="1.10.1"),
    Patch(f"{_EARLY_HUMAN}._ask_human_input", _humans.review, until="1.10.1"),
)

_FLOW: Final = "crewai.flow.flow:Flow"
_FLOWS: Final = (
    Patch(f"{_FLOW}.kickoff_async", _flows.flow),
    Patch(f"{_FLOW}._execute_method", _flows.method),
    Patch(f"{_FLOW}.resume_async", _flows.resumption, since="1.8.0"),
    Patch(f"{_FLOW}.ask", _humans.human_input, since="1.10.1"),
    Patch(f"{_FLOW}._request_human_feedback", _humans.feedback, since="1.8.0"),
    Patch(f"{_FLOW}._collapse_to_outcome", _humans.feedback_outcome, since="1.8.0"),
)

_BUS: Final = "0.177.0"
"""The first version whose bus has events of tools; from here on the instrumentor uses them."""
_TOOL_USAGE: Final = "crewai.tools.tool_usage:ToolUsage"
_HOOKS: Final = "1.10.1"
"""From here on all versions have hooks; later ones have a function that returns the verdict."""
_LIMITS: Final = "tool calls, and their limits in versions that have them"
_TOOLS: Final = (
    Patch("crewai.events.event_bus:CrewAIEventsBus.emit", watch(_tools.on_event), since=_BUS),
    *(
        Patch(f"crewai.tools.{target}._run", watch(_tools.remote_tool), since="1.4")
        for target in ("mcp_native_tool:MCPNativeTool", "mcp_tool_wrapper:MCPToolWrapper")
    ),
    Patch("crewai.agents.cache.cache_handler:CacheHandler.read", after(_tools.on_cache_read)),
    Patch(f"{_TOOL_USAGE}._use", _early_tools.tool_use, until=_BUS, one_of=_LIMITS),
    Patch(f"{_TOOL_USAGE}._use", _tools.tool_use, since=_BUS, one_of=_LIMITS),
    Patch(f"{_TOOL_USAGE}._check_usage_limit", after(_tools.on_usage_limit), one_of=_LIMITS),
    *(
        Patch(
            f"crewai.hooks.tool_hooks:{target}",
            how,
            since=_HOOKS,
            one_of="the verdict of tool hooks",
        )
        for target, how in (
            ("run_before_tool_call_hooks", after(_tools.on_before_hooks)),
            ("ToolCallHookContext.__init__", watch(_tools.on_after_hooks)),
        )
    ),
    Patch(
        f"{_TOOL_USAGE}._check_tool_repeated_usage",
        after(_early_tools.on_repeated_usage),
        until=_BUS,
    ),
    Patch(f"{_TOOL_USAGE}.on_tool_error", watch(_early_tools.on_tool_error), until=_BUS),
)

_UNIFIED: Final = "1.10.1"
"""The first version with one memory; earlier ones have one for each purpose."""
_MEMORY: Final = "crewai.memory.unified_memory:Memory"
_SHORT_TERM: Final = "crewai.memory.short_term.short_term_memory:ShortTermMemory"
_LONG_TERM: Final = "crewai.memory.long_term.long_term_memory:LongTermMemory"
_KNOWLEDGE: Final = "crewai.knowledge.knowledge:Knowledge"
_MEMORIES: Final = (
    Patch(f"{_MEMORY}.recall", _knowledge.recall, since=_UNIFIED),
    Patch(f"{_MEMORY}.arecall", _knowledge.recall, since=_UNIFIED),
    Patch(f"{_MEMORY}.remember", _knowledge.remember, since=_UNIFIED),
    Patch(f"{_MEMORY}._background_encode_batch", _knowledge.remember, since=_UNIFIED),
    Patch(f"{_SHORT_TERM}.search", _knowledge.recall, until=_UNIFIED),
    Patch(f"{_SHORT_TERM}.save", _knowledge.remember, until=_UNIFIED),
    Patch(f"{_LONG_TERM}.search", _knowledge.recall, until=_UNIFIED),
    Patch(f"{_LONG_TERM}.save", _knowledge.remember, until=_UNIFIED),
    Patch("crewai.memory.memory:Memory.search", _knowledge.recall, until=_UNIFIED),
    Patch(
        "crewai.memory.entity.entity_memory:EntityMemory.save", _knowledge.remember, until=_UNIFIED
    ),
    Patch(f"{_KNOWLEDGE}.query", _knowledge.query, since="0.83.0"),
    Patch(f"{_KNOWLEDGE}.aquery", _knowledge.query, since="1.7.0"),
)

_BASE_LLM: Final = "crewai.llms.base_llm:BaseLLM"
_MODELS: Final = (
    Patch(f"{_BASE_LLM}.call", _models.model_call, since="0.114.0", subclasses=True),
    Patch(f"{_BASE_LLM}.acall", _models.model_call, since="1.7.0", subclasses=True),
    Patch(f"{_BASE_LLM}.call", _model_tools.model_class_call, since="1.0.0", subclasses=True),
    Patch(f"{_BASE_LLM}.acall", _model_tools.model_class_call, since="1.7.0", subclasses=True),
    Patch(
        "crewai.llm:LLM._handle_tool_call", watch(_model_tools.on_handle_tool_call), since="1.0.0"
    ),
    Patch(
        f"{_BASE_LLM}._track_token_usage_internal",
        watch(_models.on_usage),
        since="1.0.0",
        overrides=True,
    ),
)

PATCHES: Final = (
    *(*_CREWS, *_TASKS, *_GUARDRAILS, *_AGENTS, *_PLANS, *_HUMAN_INPUT, *_FLOWS),
    *(*_TOOLS, *_MEMORIES, *_MODELS),
)
"""All patches."""
