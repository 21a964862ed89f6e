"""What the application passes to a run."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import items, text

if TYPE_CHECKING:
    from agents import Agent, RunConfig, RunResultStreaming, RunState
    from agents.tool import FunctionTool

__all__ = ["DEFAULT_NAME", "RunArguments", "agent_tool_made", "name_of"]

DEFAULT_NAME: Final = "Agent workflow"
"""The SDK's default for a workflow's name."""
_SENSITIVE: Final = "trace_include_sensitive_data"
_AGENT_TOOLS: Final[ByObject[Any, None]] = ByObject()
"""The functions of tools that are agents, in versions whose tools do not say so."""


class RunArguments:
    """The arguments of a run, of ``Runner.run`` or of the function that runs a streamed one."""

    def __init__(self, call: Call, given: Any, streamed: RunResultStreaming | None) -> None:
        named = call.kwargs
        is_state = hasattr(given, "_current_agent")
        state: RunState[Any] | None = given if is_state else named.get("run_state")
        self.starting_agent: Agent[Any] = call.argument(0, "starting_agent")
        self.agent: Agent[Any] = getattr(state, "_current_agent", None) or self.starting_agent
        self.input: Any = None if is_state else given
        self.streamed = streamed
        config: Any = named.get("run_config")
        self._config: dict[str, Any] | RunConfig | None = config
        trace_state = getattr(state, "_trace_state", None)
        self._resumed_workflow = text(trace_state, "workflow_name")
        self.conversation = (
            named.get("conversation_id")
            or getattr(state, "_conversation_id", None)
            or getattr(named.get("session"), "session_id", None)
            or self._setting("group_id")
            or getattr(trace_state, "group_id", None)
        )

    def _setting(self, name: str) -> Any:
        config = self._config
        return config.get(name) if isinstance(config, dict) else getattr(config, name, None)

    @property
    def has_several(self) -> bool:
        """Whether several agents can take part: by handoffs, or agents as tools."""
        agent = self.starting_agent
        return any(items(agent, "handoffs")) or any(map(_is_agent, items(agent, "tools")))

    @property
    def includes_sensitive_data(self) -> bool:
        """Whether the application's traces may have content."""
        found = self._setting(_SENSITIVE)
        return bool(_default_of_sensitive_data() if found is None else found)

    @property
    def workflow_name(self) -> str | None:
        """The application's name for the workflow, else the entry agent's."""
        for name in (self._setting("workflow_name"), self._resumed_workflow):
            if name and name != DEFAULT_NAME:
                return name
        return name_of(self.starting_agent)

    @property
    def model(self) -> str | None:
        """The requested model of the first agent."""
        for model in (self._setting("model"), getattr(self.agent, "model", None)):
            name = getattr(model, "model", model)
            if isinstance(name, str):
                return name
        return None


def name_of(agent: object) -> str | None:
    """Return the name of an agent; None for anything else, which the run rejects."""
    return text(agent, "name")


def _default_of_sensitive_data() -> bool:
    """Return what holds for a run without a configuration; newer versions read a variable."""
    fields: Any = sys.modules["agents.run"].RunConfig.__dataclass_fields__
    default = fields[_SENSITIVE]
    factory = default.default_factory
    return bool(default.default if factory is dataclasses.MISSING else factory())


def _is_agent(tool: Any) -> bool:
    marked = getattr(tool, "_is_agent_tool", None)
    return getattr(tool, "on_invoke_tool", None) in _AGENT_TOOLS if marked is None else bool(marked)


def agent_tool_made(telemetry: Telemetry, call: Call, tool: FunctionTool) -> None:
    """Note a tool that is an agent: ``Agent.as_tool(…)``."""
    _AGENT_TOOLS[tool.on_invoke_tool] = None
