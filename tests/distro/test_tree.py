"""The tree exporter: whole drawings, late and unfinished spans, bounded, safe for a terminal."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from forked import in_a_forked_child
from instrumented import instrumented, script
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from otlp_receiver import Receiver, free_port

from otel_agents.distro.tree import TreeExporter
from otel_agents.distro.tree.buffer import MAX_SPANS, MAX_TRACES

MS = 1_000_000
TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return "utf-8"


class File(Terminal):
    """A file with a given encoding."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    def isatty(self) -> bool:
        return False

    @property
    def encoding(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._encoding


class Counted(IdGenerator):
    """Generates the same ids in every run."""

    def __init__(self) -> None:
        self._span = 0
        self._trace = TRACE - 1

    def generate_span_id(self) -> int:
        self._span += 1
        return self._span

    def generate_trace_id(self) -> int:
        self._trace += 1
        return self._trace


class Drawing:
    """Spans with given times, drawn on ``stream``."""

    def __init__(self, stream: io.StringIO | None = None) -> None:
        self.stream = stream or File()
        self.exporter = TreeExporter(self.stream, 100)
        resource = Resource({"service.name": "shop"})
        self._provider = TracerProvider(
            resource=resource, id_generator=Counted(), shutdown_on_exit=False
        )
        self._provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self._tracer = self._provider.get_tracer("t")

    def start(self, name: str, at: int, parent: Any = None, **attributes: Any) -> Any:
        """Start a span at millisecond ``at``; ``__`` in a key is a dot."""
        context = trace.set_span_in_context(parent) if parent is not None else None
        named = {key.replace("__", "."): value for key, value in attributes.items()}
        span = self._tracer.start_span(name, context, start_time=at * MS, attributes=named)
        assert isinstance(span, Span)
        return span

    def span(self, name: str, at: int, to: int, parent: Any = None, **attributes: Any) -> None:
        self.start(name, at, parent, **attributes).end(to * MS)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().split("\n")


def agent_run(drawing: Drawing, **content: Any) -> None:
    """Record two model calls and two tools under an agent."""
    tokens = {"gen_ai__usage__input_tokens": 1284, "gen_ai__usage__output_tokens": 203}
    agent = drawing.start(
        "invoke_agent planner", 0, gen_ai__operation__name="invoke_agent", **tokens
    )
    drawing.span(
        "chat gpt-4o-mini",
        5,
        617,
        agent,
        gen_ai__operation__name="chat",
        gen_ai__usage__input_tokens=412,
        gen_ai__usage__output_tokens=58,
        gen_ai__response__finish_reasons=("tool_calls",),
        **content,
    )
    tool = drawing.start(
        "execute_tool get_weather", 620, agent, gen_ai__operation__name="execute_tool"
    )
    drawing.span("GET", 630, 750, tool)
    tool.end(760 * MS)
    drawing.span(
        "execute_tool find_trains",
        760,
        1910,
        agent,
        gen_ai__operation__name="execute_tool",
        error__type="TimeoutError",
    )
    drawing.span(
        "chat gpt-4o-mini",
        1915,
        2836,
        agent,
        gen_ai__operation__name="chat",
        gen_ai__usage__input_tokens=872,
        gen_ai__usage__output_tokens=145,
        gen_ai__usage__cache_read__input_tokens=256,
        gen_ai__usage__reasoning__output_tokens=64,
        gen_ai__response__finish_reasons=("length",),
    )
    agent.end(2840 * MS)


def test_a_run_is_drawn_when_its_root_ends() -> None:
    drawing = Drawing()
    agent_run(drawing)
    assert drawing.lines == [
        (
            "shop · 2 model calls · 2 tool calls · 1,284 → 203 tokens · 1 error · "
            "trace 4bf92f3577b34da6a3ce929d0e0e4736"
        ),
        "invoke_agent planner           2.84 s  ━━━━━━━━━━━━━━━━  1,284 → 203",
        "├─ chat gpt-4o-mini            612 ms  ━━━               412 → 58",
        "├─ execute_tool get_weather    140 ms     ━",
        "│  └─ GET                      120 ms      ━",
        "├─ execute_tool find_trains    1.15 s      ━━━━━━━       ✗ TimeoutError",
        (
            "└─ chat gpt-4o-mini            921 ms             ━━━━━  872 → 145 "
            "(256 cached, 64 reasoning, length)"
        ),
        "",
        "",
    ]


def steps(drawing: Drawing) -> None:
    """Record a step of each outcome, two with a position, two handoffs, and a score."""
    root = drawing.start("invoke_workflow Book", 0)
    for at, (name, line) in enumerate(
        [
            ("method check", {"outcome": "again"}),
            ("guardrail is_short", {"number": 2, "count": 3, "outcome": "failed"}),
            ("task edit", {"outcome": "skipped"}),
            ("invoke_workflow chapter", {"number": 2}),
            ("select_speaker", {"count": 3, "outcome": "writer"}),
        ]
    ):
        printed = {f"otel_agents__step__{key}": value for key, value in line.items()}
        drawing.span(name, 10 * at, 10 * at + 10, root, **printed)
    drawing.span("execute_tool look_up", 50, 60, root, otel_agents__tool__caller="clerk")
    handoff: dict[str, Any] = {"otel_agents__step__type": "handoff"}
    to = "otel_agents__handoff__to"
    drawing.span("handoff editor", 90, 90, root, **handoff, **{to: "editor"})
    handoff["otel_agents__handoff__from"] = "writer"
    drawing.span("handoff editor", 95, 95, root, **handoff, **{to: "editor"})
    drawing.span("score exact", 98, 98, root, gen_ai__evaluation__score__value=0.75)
    root.end(100 * MS)


def test_outcome_and_position_follow_the_name() -> None:
    drawing = Drawing()
    steps(drawing)
    assert drawing.lines[1:-2] == [
        "invoke_workflow Book                  100 ms  ━━━━━━━━━━━━━━━━",
        "├─ method check → again                10 ms  ━━",
        "├─ guardrail is_short 2/3 ✗ failed     10 ms    ━",
        "├─ task edit (skipped)                 10 ms     ━━",
        "├─ invoke_workflow chapter 2           10 ms       ━",
        "├─ select_speaker → writer             10 ms        ━━          (3 tries)",
        "├─ execute_tool look_up                10 ms          ━━        (for clerk)",
        "├─ handoff → editor                   0.0 ms                ━",
        "├─ handoff writer → editor            0.0 ms                 ━",
        "└─ score exact → 0.75                 0.0 ms                 ━",
    ]


def test_outcomes_are_drawn_in_ascii_and_in_colour_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    plain, colored = Drawing(File("ascii")), Drawing(Terminal())
    steps(plain)
    steps(colored)
    assert plain.lines[2].startswith("|- method check -> again ")
    assert plain.lines[3].startswith("|- guardrail is_short 2/3 ! failed ")
    assert "\x1b[31mguardrail is_short 2/3 ✗ failed\x1b[0m" in colored.stream.getvalue()


def test_a_stream_that_takes_ascii_alone_gets_ascii() -> None:
    drawing = Drawing(File("ascii"))
    drawing.span("chat 漢", 0, 100, gen_ai__usage__input_tokens=1)
    assert drawing.lines == [
        "shop - trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "chat ?    100 ms  ================  1 -> 0",
        "",
        "",
    ]


def test_content_is_shown_where_the_span_carries_it() -> None:
    prompt = [{"role": "user", "parts": [{"type": "text", "content": "How is\nBern?"}]}]
    call = {"type": "tool_call", "name": "get_weather", "arguments": {"city": "Bern"}}
    given = [{"role": "assistant", "parts": [call]}]
    drawing = Drawing()
    agent_run(
        drawing,
        gen_ai__input__messages=json.dumps(prompt),
        gen_ai__output__messages=json.dumps(given),
    )
    assert drawing.lines[2:5] == [
        "├─ chat gpt-4o-mini            612 ms  ━━━               412 → 58",
        "│  » How is Bern?",
        '│  « get_weather({"city": "Bern"})',
    ]


def test_nothing_that_a_model_wrote_reaches_the_terminal_as_a_command() -> None:
    drawing = Drawing()
    drawing.span("tool \x1b[2J\x07", 0, 1, gen_ai__tool__call__result="\x1b]0;owned\x07 \u202e x")
    assert not [
        char for char in drawing.stream.getvalue() if not char.isprintable() and char != "\n"
    ]


def test_colours_are_used_only_on_a_terminal_and_without_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    colored, file = Drawing(Terminal()), Drawing(File())
    monkeypatch.setenv("NO_COLOR", "1")
    refused = Drawing(Terminal())
    for drawing in (colored, refused, file):
        agent_run(drawing)
    shown = ["\x1b[" in drawing.stream.getvalue() for drawing in (colored, refused, file)]
    assert shown == [True, False, False]


def test_spans_that_end_after_their_root_are_drawn_as_late_with_what_is_below() -> None:
    drawing = Drawing()
    root = drawing.start("root", 0)
    task = drawing.start("task", 10, root)
    drawing.span("step", 20, 30, task)
    root.end(100 * MS)
    task.end(250 * MS)
    assert drawing.lines == [
        "shop · trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "root    100 ms  ━━━━━━━━━━━━━━━━",
        "",
        "shop · late · trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "task       240 ms  ━━━━━━━━━━━━━━━━",
        "└─ step     10 ms   ━",
        "",
        "",
    ]


def test_each_root_of_a_trace_here_is_drawn_with_what_is_below() -> None:
    """As of a worker that executes two tasks of another process's trace."""
    drawing = Drawing()
    parent = NonRecordingSpan(SpanContext(TRACE, 0xA, True, TraceFlags(1)))
    first, second = (drawing.start(name, 0, parent) for name in ("one", "two"))
    drawing.span("step", 10, 20, first)
    first.end(100 * MS)
    drawing.span("step", 110, 120, second)
    second.end(200 * MS)
    assert drawing.lines == [
        "shop · trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "one        100 ms  ━━━━━━━━━━━━━━━━",
        "└─ step     10 ms    ━",
        "",
        "shop · trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "two        200 ms  ━━━━━━━━━━━━━━━━",
        "└─ step     10 ms           ━",
        "",
        "",
    ]


def test_at_the_end_what_has_no_root_is_drawn_as_unfinished() -> None:
    drawing = Drawing()
    root = drawing.start("root", 0)
    drawing.span("chat", 10, 20, root)
    drawing.exporter.shutdown()
    assert drawing.lines == [
        "shop · unfinished · trace 4bf92f3577b34da6a3ce929d0e0e4736",
        "chat     10 ms  ━━━━━━━━━━━━━━━━",
        "",
        "",
    ]


def test_a_parent_in_another_process_makes_a_root_here() -> None:
    drawing = Drawing()
    remote = NonRecordingSpan(SpanContext(TRACE, 99, True, TraceFlags(1)))
    drawing.span("POST /ask", 0, 10, remote)
    assert drawing.lines[1] == "POST /ask     10 ms  ━━━━━━━━━━━━━━━━"


def test_what_waits_is_bounded() -> None:
    """One unfinished trace keeps a limited number of spans; of many the oldest are evicted."""
    drawing = Drawing()
    root = drawing.start("root", 0)
    for number in range(MAX_SPANS + 7):
        drawing.span(f"s{number}", 1, 2, root)
    root.end(10 * MS)
    assert len(drawing.lines) == MAX_SPANS + 5
    assert drawing.lines[-3] == "… 7 more spans"
    endless = Drawing()
    for number in range(MAX_TRACES + 1):
        endless.span(f"child {number}", 0, 1, endless.start("root", 0))
    assert [line for line in endless.lines if "child" in line] == [
        "child 0      1 ms  ━━━━━━━━━━━━━━━━"
    ]


def test_a_forked_child_draws_nothing_of_its_parent() -> None:
    """Buffered spans belong to the parent, and so does the lock, which another thread may hold."""
    drawing = Drawing()
    root = drawing.start("root", 0)
    drawing.span("below", 1, 2, root)
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with vars(drawing.exporter)["_lock"]:
            held.set()
            over.wait(10)

    def child() -> object:
        drawing.exporter.shutdown()
        return drawing.stream.getvalue()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    assert in_a_forked_child(child, over.set) == repr("")
    holder.join()
    root.end(3 * MS)
    assert "below" in drawing.stream.getvalue()


def test_deep_traces_are_drawn() -> None:
    drawing = Drawing()
    spans = [drawing.start("root", 0)]
    for depth in range(1900):
        spans.append(drawing.start(f"depth {depth}", 1, spans[-1]))
    for span in reversed(spans):
        span.end(2 * MS)
    assert len(drawing.lines) == 1901 + 3


WORK = """
    from opentelemetry import metrics, trace

    with trace.get_tracer("t").start_as_current_span("work"):
        metrics.get_meter("m").create_counter("counted").add(1)
"""


def test_tree_alone_connects_to_no_collector(tmp_path: Path) -> None:
    done = instrumented(
        script(tmp_path, WORK),
        {
            "OTEL_TRACES_EXPORTER": "tree",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}",
        },
    )
    assert [line.partition(" ")[0] for line in done.err.splitlines()] == ["program", "work", ""]


def test_tree_and_otlp_go_together(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, WORK),
            {
                "OTEL_TRACES_EXPORTER": "tree,otlp",
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            },
        )
    assert [line.partition(" ")[0] for line in done.err.splitlines()] == ["program", "work", ""]
    assert (receiver.span_names, receiver.metric_names) == (["work"], {"counted"})
