"""A runtime with the application's own provider: its spans do not change, and ours are isolated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from autogen_teams import CHAT, VERSION, assistant, fails_with, round_robin, turn
from instrumented import instrumented as ran_instrumented
from instrumented import script
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

core: Any = import_module("autogen_core")
SHARED = Version("0.4.9") <= VERSION
"""Whether a team accepts a runtime."""
SECRET = "planted-secret"


@pytest.fixture
def own() -> Iterator[Emission]:
    """Return the spans of the application's own provider."""
    emission = Emission()
    yield emission
    emission.close()


async def ran(client: Any, own: Emission) -> None:
    runtime = core.SingleThreadedAgentRuntime(tracer_provider=own.tracer_provider)
    runtime.start()
    with own.tracer_provider.get_tracer("app").start_as_current_span("mine"):
        await round_robin(assistant("first", client), turns=1, runtime=runtime).run(task="go")
    await runtime.stop()


@pytest.mark.skipif(not SHARED, reason="teams have runtimes of their own")
def test_its_spans_are_unchanged_and_ours_are_emitted(
    run: Callable[..., Any],
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    own: Emission,
    instrument: Callable[..., None],
) -> None:
    bare = Emission()

    async def both() -> None:
        await ran(client, bare)
        instrument()
        await ran(client, own)

    run(both())
    assert any(name.startswith("autogen") for name in bare.names)
    assert sorted(anonymous(own)) == sorted(anonymous(bare, "invoke_agent", "create_agent"))
    assert [line.strip() for line in emission.tree()] == [
        line.strip() for line in ["invoke_workflow", *turn("first", CHAT)]
    ]
    theirs: list[Any] = list(own.spans)
    ids = {span.context.span_id for span in theirs if span.name != "mine"}
    assert not [span.name for span in emission.spans if span.parent and span.parent.span_id in ids]
    bare.close()


def anonymous(emission: Emission, *without: str) -> list[str]:
    """Return each span with its parent and its links, except for those named in ``without``."""
    spans: list[Any] = list(emission.spans)
    names = {span.context.span_id: span.name for span in spans}
    found: list[str] = []
    for span in spans:
        above = [span.parent.span_id] if span.parent else []
        linked = [names.get(link.context.span_id, "?") for link in span.links]
        line = [span.name, *(names.get(one, "?") for one in above), *linked]
        if not span.name.startswith(without or ("-",)):
            found.append(" < ".join(map(kind, line)))
    return found


def kind(name: str) -> str:
    return " ".join(name.split()[:2]) if name.startswith("autogen") else name


def test_its_spans_keep_their_content(
    run: Callable[..., Any], own: Emission, instrumented: None
) -> None:
    """They are not exported by our pipeline, so nothing is removed from them."""
    run(fails_with(SECRET, own.tracer_provider))
    assert "autogen send failing.(default)-A" in own.names
    assert SECRET in own.texts()


def test_the_distribution_does_not_silence_its_tracer(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        """
        from autogen_core import SingleThreadedAgentRuntime
        from opentelemetry.sdk.trace import TracerProvider

        runtime = SingleThreadedAgentRuntime(tracer_provider=TracerProvider())
        with runtime._tracer_helper.tracer.start_as_current_span("s") as span:
            print(span.is_recording())
        """,
    )
    done = ran_instrumented(path, {"OTEL_TRACES_EXPORTER": "tree"}, installed=True)
    assert (done.status, done.out) == (0, "True\n"), done.err
