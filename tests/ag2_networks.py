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
    """A hub, a human who is registered with it, and the agents by name."""

    def __init__(self, hub: Any, human: Any) -> None:
        self.hub = hub
        self.human = human
        self.ids: dict[str, str] = {"human": human.agent_id}

    async def register(self, *agents: Any) -> None:
        for agent in agents:
            client = await self.hub.register(agent)
            self.ids[agent.name] = client.agent_id

    def graph(self, *steps: tuple[str, str], most: int | None = None) -> dict[str, Any]:
        """Who is next after whom, from the human on; at the end there is nobody."""
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
            max_turns=most,
        )
        return {"graph": graph.to_dict()}

    async def heard(self, *kinds: str) -> Any:
        """The next message to the human, of one of these kinds."""

        def wanted(envelope: Any) -> bool:
            return envelope.event_type in kinds

        return await self.human.next_envelope(predicate=wanted, timeout=_SECONDS)


@asynccontextmanager
async def network(*agents: Any, **more: Any) -> AsyncGenerator[Network]:
    store = import_module("ag2.knowledge").MemoryKnowledgeStore()
    hub = await _NETWORK.Hub.open(store, **more)
    client = _NETWORK.HubClient(link=_NETWORK.LocalLink(hub), hub=hub)
    passport = _NETWORK.Passport(name="human", kind="human")
    async with hub:
        human = await client.register_human(passport, resume=_NETWORK.Resume())
        made = Network(hub, human)
        await made.register(*agents)
        yield made
        await client.close()


@asynccontextmanager
async def over_sockets(hub: Any) -> AsyncGenerator[Any]:
    """A client that reaches the hub as one in another process would."""
    sockets: Any = import_module("ag2.network.transport.ws")
    async with sockets.serve_ws(hub, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = _NETWORK.HubClient(link=sockets.WsLink(f"ws://127.0.0.1:{port}"))
        yield client
        await client.close()


async def opened(net: Network, kind: str, *names: str, **more: Any) -> Any:
    """A channel that the human has opened with these agents."""
    return await net.human.open(type=kind, target=list(names), **more)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""

    async def wait() -> None:
        while not holds():
            await asyncio.sleep(0)

    await asyncio.wait_for(wait(), _SECONDS)


def under(line: str, *inner: str) -> list[str]:
    """The lines of the tree of what has these lines inside."""
    return [line, *("  " + one for one in inner)]
