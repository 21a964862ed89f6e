"""The rows: each method of the SDK that calls a model, in each package that has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from otel_agents.instrumentors._core.calls.call import Bindable, Start
from otel_agents.instrumentors._core.calls.watching import replacing, watch_by_arguments
from otel_agents.instrumentors._core.patching.patches import Patch, Registration, Row
from otel_agents.instrumentors._dialects.api import WireFormat
from otel_agents.instrumentors._dialects.mistral.audio import SPEECH, TRANSCRIPTION
from otel_agents.instrumentors._dialects.mistral.chat import CHAT, FIM
from otel_agents.instrumentors._dialects.mistral.conversations import CONVERSATIONS
from otel_agents.instrumentors._dialects.mistral.documents import OCR
from otel_agents.instrumentors._dialects.mistral.responses import RESPONSES
from otel_agents.instrumentors._dialects.mistral.verdicts import VERDICTS, verdict_model
from otel_agents.semconv.values import Provider

from ._native_telemetry import silence_request, silence_runs, silence_tools
from ._requests import embed, infer, send
from ._runs import execute, run

__all__ = ["PATCHES"]

_RENAMED: Final = "2"
"""The first version with the client in ``mistralai.client``, and those of clouds beside it."""

_TRACED: Final = "1.10"
"""The first version that has spans of its own."""


class _Package(NamedTuple):
    """Where a client is, before and since it was moved."""

    provider: Provider
    old: str
    new: str

    def rows(self, target: str, how: Start | Bindable, since: str | None = None) -> Iterator[Row]:
        """Yield a row for each place of ``target``, the first version of which is ``since``."""
        if since is None or since.startswith("1."):
            yield Patch(f"{self.old}.{target}", how, since=since, until=_RENAMED)
            since = _RENAMED
        yield Patch(f"{self.new}.{target}", how, since=since)


_MISTRAL: Final = _Package(Provider.MISTRAL_AI, "mistralai", "mistralai.client")
_AZURE: Final = _Package(Provider.AZURE_AI_INFERENCE, "mistralai_azure", "mistralai.azure.client")
_GOOGLE: Final = _Package(Provider.GCP_VERTEX_AI, "mistralai_gcp", "mistralai.gcp.client")


class _Methods(NamedTuple):
    """Methods of one class, each of which has an async twin."""

    target: str
    whole: tuple[str, ...]
    streamed: tuple[str, ...]
    wire_format: WireFormat
    package: _Package = _MISTRAL
    since: str | None = None


_BOTH: Final = (("complete",), ("stream",))
_INFERENCE: Final = (
    _Methods("chat:Chat", *_BOTH, CHAT),
    _Methods("chat:Chat", *_BOTH, CHAT, _AZURE),
    _Methods("chat:Chat", *_BOTH, CHAT, _GOOGLE),
    _Methods("fim:Fim", *_BOTH, FIM),
    _Methods("fim:Fim", *_BOTH, FIM, _GOOGLE),
    _Methods("agents:Agents", *_BOTH, CHAT),
    _Methods(
        "conversations:Conversations",
        ("start", "append", "restart"),
        ("start_stream", "append_stream", "restart_stream"),
        CONVERSATIONS,
        since="1.8",
    ),
    _Methods("ocr:Ocr", ("process",), (), OCR, since="1.5.1"),
    _Methods("ocr:Ocr", ("process",), (), OCR, _AZURE, since="1.9.8"),
    _Methods("transcriptions:Transcriptions", *_BOTH, TRANSCRIPTION, since="1.9.3"),
    _Methods("speech:Speech", ("complete",), (), SPEECH, since="2.1"),
    _Methods("responses:Responses", ("create",), (), RESPONSES, since="3.4"),
)


def _rows() -> Iterator[Row]:
    for target, whole, streamed, wire_format, package, since in _INFERENCE:
        for names, is_streamed in ((whole, False), (streamed, True)):
            start = infer(wire_format, package.provider, streamed=is_streamed)
            for name in names:
                yield from package.rows(f"{target}.{name}", start, since)
                yield from package.rows(f"{target}.{name}_async", start, since)
    for name in ("create", "create_async"):
        yield from _MISTRAL.rows(f"embeddings:Embeddings.{name}", embed(_MISTRAL.provider))
    for package in (_MISTRAL, _AZURE, _GOOGLE):
        for name in ("do_request", "do_request_async"):
            yield from package.rows(f"basesdk:BaseSDK.{name}", watch_by_arguments(send))
    yield from _verdict_rows()
    yield from _run_rows()


def _verdict_rows() -> Iterator[Row]:
    """Yield the rows for verdicts on a conversation or a record, whose class was renamed in 3.1."""
    start = infer(VERDICTS, _MISTRAL.provider, model_of=verdict_model)
    client = _MISTRAL.new
    for name in ("", "_async"):
        yield Patch(f"{client}.judges:Judges.judge_conversation{name}", start, since="2.0.4")
        yield Patch(f"{client}.records:Records.judge{name}", start, since=_RENAMED, until="3.1")
        yield Patch(f"{client}.datasets_records:DatasetsRecords.judge{name}", start, since="3.1")


def _run_rows() -> Iterator[Row]:
    """Yield the rows for runs of conversations, and for the SDK's own spans."""
    for name in ("run_async", "run_stream_async"):
        yield from _MISTRAL.rows(f"conversations:Conversations.{name}", run, "1.8")
    yield Patch("mistralai.extra.run.context:create_function_result", execute, since="1.8")
    tracer = "_hooks.tracing:get_or_create_otel_tracer"
    yield from _MISTRAL.rows(tracer, replacing(silence_request), _TRACED)
    yield Registration("mistralai.conversations", silence_runs, since=_TRACED, until=_RENAMED)
    yield Registration("mistralai.client.conversations", silence_runs, since=_RENAMED)
    yield Registration("mistralai.extra.run.tools", silence_tools, since=_TRACED)


PATCHES: Final[tuple[Row, ...]] = tuple(_rows())
