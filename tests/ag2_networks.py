"""Small networks of AG2 agents and one human, in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

__all__ = [
    "CLOSED",
    "PACKET",
    "TEXT",
    "WORKFLOW",
    "Network",
    "network",
    "opened",
    "over_sockets",
    "under",
    "until",
]

_NETWORK: Any = import_module("ag2.network")
TEXT, PACKET, CLOSED = _NETWORK.EV_TEXT, _NETWORK.EV_PACKET, _NETWORK.EV_CHANNEL_CLOSED
WORKFLOW = "invoke_workflow"
_SECONDS = 10


class Network:
    """A hub with a registered human, and agents by their names."""

    def __init__(self, hub: Any, human: Any) -> None:
        self.hub = hub
        self.human = human
        self.ids: dict[str, str] = {"human": human.agent_id}

    async def register(self, *agents: Any) -> None:
        for agent in agents:
            client = await self.hub.register(agent)
            self.ids[agent.name] = client.agent_id

    def graph(self, *steps: tuple[str, str], max_turns: int | None = None) -> dict[str, Any]:
        """Return a transition graph with these steps, which starts at the human and then terminates."""
        rules = [
            _NETWORK.Transition(
                when=_NETWORK.FromSpeaker(self.ids[before]),
                then=_NETWORK.AgentTarget(self.ids[after]),
            )
            for before, after in steps
        ]
        graph = _NETWORK.TransitionGraph(
            initial_speaker=self.ids["human"],
            transitions=rules,
            default_target=_NETWORK.TerminateTarget(),
            max_turns=max_turns,
        )
        return {"graph": graph.to_dict()}

    async def received(self, *kinds: str) -> Any:
        """Wait for the next message of one of these kinds to the human."""

        def is_expected(envelope: Any) -> bool:
            return envelope.event_type in kinds

        return await self.human.next_envelope(predicate=is_expected, timeout=_SECONDS)


@asynccontextmanager
async def network(*agents: Any, **more: Any) -> AsyncGenerator[Network]:
    store = import_module("ag2.knowledge").MemoryKnowledgeStore()
    hub = await _NETWORK.Hub.open(store, **more)
    client = _NETWORK.HubClient(link=_NETWORK.LocalLink(hub), hub=hub)
    passport = _NETWORK.Passport(name="human", kind="human")
    async with hub:
        human = await client.register_human(passport, resume=_NETWORK.Resume())
        entered = Network(hub, human)
        await entered.register(*agents)
        yield entered
        await client.close()


@asynccontextmanager
async def over_sockets(hub: Any) -> AsyncGenerator[Any]:
    """Connect a client to the hub by sockets, as a client in another process does."""
    sockets: Any = import_module("ag2.network.transport.ws")
    async with sockets.serve_ws(hub, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = _NETWORK.HubClient(link=sockets.WsLink(f"ws://127.0.0.1:{port}"))
        yield client
        await client.close()


async def opened(net: Network, kind: str, *names: str, **more: Any) -> Any:
    """Open a channel between the human and these agents."""
    return await net.human.open(type=kind, target=list(names), **more)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until ``condition`` is true."""

    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0)

    await asyncio.wait_for(wait(), _SECONDS)


def under(line: str, *inner: str) -> list[str]:
    """Return the lines of a tree: ``line`` with ``inner`` below it."""
    return [line, *("  " + one for one in inner)]
