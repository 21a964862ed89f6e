"""Who the work is done for is on every span and log record below, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from opentelemetry import baggage, trace
from opentelemetry._logs import LogRecord
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import attach, detach, get_current
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_agents import api
from otel_agents.distro.export.logs import IdentityLogProcessor
from otel_agents.distro.starting.threads import carry_context_into_threads
from otel_agents.instrumentors import Embeddings, Telemetry, hosting
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import values
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("configured")

ADA = {
    "user.id": "ada",
    "session.id": "s-1",
    "gen_ai.conversation.id": "c-1",
    "otel_agents.tag.plan": "pro",
}


ONCE = "further ones are not logged"


def ada() -> api.ContextBlock:
    return api.identity(user="ada", session="s-1", conversation="c-1", tags={"plan": "pro"})


def identities(emission: Emission) -> dict[str, dict[str, Any]]:
    """Return the identity of each span by its name."""
    return {
        span.name: {
            name: value
            for name, value in (span.attributes or {}).items()
            if name in ADA or name.startswith("otel_agents.tag.")
        }
        for span in emission.spans
    }


def test_it_is_on_every_span_below_and_on_none_after(emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("httpx")
    with ada():
        with api.workflow("w"), api.agent("a"), api.step("s"), tracer.start_as_current_span("GET"):
            api.embeddings(lambda: None)()
        with api.identity(user="bob", tags={"team": 7}), api.tool("t"):
            pass
    with api.step("after"), tracer.start_as_current_span("GET after"):
        pass
    alone = {name: value for name, value in ADA.items() if name != "gen_ai.conversation.id"}
    assert identities(emission) == {
        **dict.fromkeys(("invoke_workflow w", "invoke_agent a", "step s", "GET"), ADA),
        "embeddings": alone,  # the conventions have no conversation there
        "execute_tool t": {**ADA, "user.id": "bob", "otel_agents.tag.team": "7"},
        "step after": {},
        "GET after": {},
    }


def test_it_is_on_the_spans_of_the_instrumentors(emission: Emission, model: ScriptedModel) -> None:
    with instrumenting(emission, OpenAIInstrumentor()) as instrument:
        instrument()
        with openai.OpenAI(base_url=model.openai_url, api_key="none") as client, ada():
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]
            )
    assert identities(emission) == {"chat gpt-4o-mini": ADA}


def test_it_reaches_tasks_threads_and_executors(emission: Emission) -> None:
    def work(name: str) -> None:
        with api.tool(name):
            pass

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(
            asyncio.to_thread(work, "thread"), loop.run_in_executor(None, work, "executor")
        )
        await asyncio.create_task(asyncio.to_thread(work, "task"))

    undo = carry_context_into_threads()
    try:
        with ada(), ThreadPoolExecutor(1) as pool:
            pool.submit(work, "pool").result()
            asyncio.run(main())
    finally:
        undo()
    names = ("thread", "executor", "task", "pool")
    assert identities(emission) == {f"execute_tool {name}": ADA for name in names}


def test_it_decorates_functions_of_every_shape(emission: Emission) -> None:
    @ada()
    def plain() -> None:
        api.tool(lambda: None)()

    @ada()
    async def coroutine() -> None:
        await asyncio.sleep(0)
        api.tool(lambda: None)()

    @ada()
    def generator() -> Generator[int, None, None]:
        yield 1
        api.tool(lambda: None)()
        yield 2

    before = get_current()
    plain()
    asyncio.run(coroutine())
    for _ in generator():
        assert get_current() == before
    assert [dict(span.attributes or {})["user.id"] for span in emission.spans] == ["ada"] * 3


def test_tags_are_bounded_and_what_is_dropped_is_logged_once(
    emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    many = {f"k{number}": "v" * 1000 for number in range(40)}
    with api.identity(tags={**many, "k" * 65: "x", "": "y"}), api.step("s"):
        pass
    with api.identity(tags={"k" * 65: "x"}):
        pass
    (found,) = identities(emission).values()
    assert [*found] == [f"otel_agents.tag.k{number}" for number in range(32)]
    assert {*found.values()} == {"v" * 255 + "…"}
    assert [record.getMessage() for record in caplog.records] == [
        f"otel-agents: dropped tags: more than 32 of them; {ONCE}",
        f"otel-agents: dropped a tag: its key is empty or longer than 64 characters; {ONCE}",
    ]


@pytest.fixture
def logs(emission: Emission) -> Iterator[Emission]:
    """Emit log records with the distribution's processor in front."""
    other = Emission()
    processors: Any = vars(other.logger_provider)["_multi_log_record_processor"]
    processors._log_record_processors = (
        IdentityLogProcessor(),
        *processors._log_record_processors,
    )
    yield other
    other.close()


def test_it_is_on_log_records(logs: Emission, configured: Callable[..., None]) -> None:
    api.configure(logger_provider=logs.logger_provider)
    logger = logs.logger_provider.get_logger("app")
    with ada():
        logger.emit(LogRecord(body="planned", attributes={"user.id": "mine"}))
        with api.handoff("booker"):
            pass
    logger.emit(LogRecord(body="after"))
    planned, ours, after = (dict(log.log_record.attributes or {}) for log in logs.logs)
    ours.pop("event.name", None)  # before OpenTelemetry 1.35
    assert (planned, after) == ({**ADA, "user.id": "mine"}, {})
    assert ours == {**ADA, "otel_agents.handoff.to": "booker"}


def incoming(header: str) -> Any:
    return W3CBaggagePropagator().extract({"baggage": header})


HEADER = "user.id=eve,plan=gold,otel_agents.tag.team=7,session.id=s-9,other=1"


def test_incoming_baggage_is_not_trusted_by_default(emission: Emission) -> None:
    token = attach(incoming(HEADER))
    with api.step("s"):
        pass
    detach(token)
    assert identities(emission) == {"step s": {}}


def test_incoming_baggage_is_trusted_by_name(
    emission: Emission, configured: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "user.id,plan,otel_agents.tag.team"
    configured(OTEL_AGENTS_IDENTITY_FROM_BAGGAGE=names)
    monkeypatch.setenv("OTEL_AGENTS_IDENTITY_FROM_BAGGAGE", names)
    trusted: Any = vars(hosting)["_trusted_names"]
    trusted.cache_clear()
    token = attach(incoming(HEADER))
    with api.step("s"), emission.tracer_provider.get_tracer("app").start_as_current_span("GET"):
        pass
    with api.identity(user="ada", tags={"plan": "pro"}), api.step("own"):
        pass
    detach(token)
    trusted.cache_clear()
    found = {"user.id": "eve", "otel_agents.tag.plan": "gold", "otel_agents.tag.team": "7"}
    own = {**found, "user.id": "ada", "otel_agents.tag.plan": "pro"}
    assert identities(emission) == {"step s": found, "GET": found, "step own": own}


@pytest.mark.parametrize("hosts", ["", "127.0.0.*"])
def test_it_is_sent_only_to_hosts_that_a_setting_lists(
    hosts: str, emission: Emission, model: ScriptedModel
) -> None:
    with instrumenting(emission, OpenAIInstrumentor()) as instrument:
        instrument(OTEL_AGENTS_PROPAGATE_HEADERS="*", OTEL_AGENTS_PROPAGATE_IDENTITY=hosts)
        with openai.OpenAI(base_url=model.openai_url, api_key="none") as client, ada():
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]
            )
    (entry,) = model.ledger.entries
    sent = baggage.get_all(incoming(entry.headers.get("baggage", "")))
    assert dict(sent) == (ADA if hosts else {})
    assert "traceparent" in entry.headers


def test_what_the_application_sends_by_its_own_http_carries_none(
    configured: Callable[..., None],
) -> None:
    """Its HTTP instrumentation injects what the propagator finds, whichever host it is."""
    everywhere = {"OTEL_AGENTS_PROPAGATE_HEADERS": "*", "OTEL_AGENTS_PROPAGATE_IDENTITY": "*"}
    configured(**everywhere)
    both = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])
    headers: dict[str, str] = {}
    own: dict[str, str] = {}
    with ada(), api.step("s"):
        both.inject(headers)
        token = attach(baggage.set_baggage("user.id", "ada"))  # as the page shows
        both.inject(own)
        detach(token)
    assert [*headers] == ["traceparent"]
    assert own["baggage"] == "user.id=ada"


@pytest.mark.parametrize("hosts", ["", "127.0.0.*"])
def test_what_came_as_baggage_goes_on_only_to_these_hosts(
    hosts: str, emission: Emission, model: ScriptedModel
) -> None:
    with instrumenting(emission, OpenAIInstrumentor()) as instrument:
        instrument(
            OTEL_AGENTS_PROPAGATE_HEADERS="*",
            OTEL_AGENTS_PROPAGATE_IDENTITY=hosts,
            OTEL_AGENTS_IDENTITY_FROM_BAGGAGE="user.id,plan",
        )
        token = attach(incoming(HEADER))
        with openai.OpenAI(base_url=model.openai_url, api_key="none") as client:
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}]
            )
        detach(token)
    (entry,) = model.ledger.entries
    sent = dict(baggage.get_all(incoming(entry.headers.get("baggage", ""))))
    assert sent == (dict(baggage.get_all(incoming(HEADER))) if hosts else {"other": "1"})


def test_content_can_be_narrowed_and_not_widened(
    emission: Emission, configured: Callable[..., None]
) -> None:
    configured(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    with api.content(False), api.content(True), api.tool("t") as tool:
        tool.result("planted-secret")
    assert "planted-secret" not in emission.texts()
    with api.content(True), api.tool("t") as tool:
        tool.result("planted-secret")
    assert "planted-secret" in emission.texts()


def test_an_untraced_block_is_left_out(emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("app")

    @api.untraced()
    async def probe() -> None:
        with api.agent("a"), tracer.start_as_current_span("GET"):
            assert not get_current_span().get_span_context().trace_flags.sampled

    with api.workflow("w"):
        outside = get_current_span()
        asyncio.run(probe())
        with api.untraced(), tracer.start_as_current_span("GET"):
            pass
        assert get_current_span() is outside
    with api.untraced(), tracer.start_as_current_span("GET"):
        pass
    assert emission.names == ["invoke_workflow w"]


def test_a_third_partys_embeddings_have_no_conversation(emission: Emission) -> None:
    settings = Settings.read({})
    telemetry = Telemetry("house", settings=settings, **emission.providers)
    with ada():
        call = Embeddings(telemetry, values.Operation.EMBEDDINGS, "house", "e", ("h", 1))
        call.input_tokens, call.response_model = 1, "e"
        call.end()
    assert "gen_ai.conversation.id" not in (emission.span.attributes or {})
    assert trace.get_current_span() is trace.INVALID_SPAN
