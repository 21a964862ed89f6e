"""The examination as human-readable text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from otel_agents.distro.doctor import Examination
from otel_agents.distro.doctor.frameworks import Framework
from otel_agents.distro.doctor.others import OtherLibrary
from otel_agents.distro.doctor.scopes import EmittingScope

__all__ = ["as_text"]


def as_text(examination: Examination) -> str:
    """Return sections of aligned lines; the findings come last."""
    sections = [
        ("packages", [("python", examination.python), *examination.packages.items()]),
        ("frameworks", [_framework(framework) for framework in examination.frameworks]),
        *_if_any("others with spans of their own", map(_other, examination.others)),
        *_if_any("emitted by the program", map(_scope, examination.scopes)),
        ("settings", [(it.name, it.value, _from(it.source)) for it in examination.settings]),
        (
            "vendor telemetry",
            [
                (it.library, it.what, f"sent: {it.sent}", f"to change: {it.to_change}")
                for it in examination.vendor_telemetry
            ],
        ),
        (
            "signals",
            [
                (
                    it.name,
                    _with_source(it.exporters, it.exporters_source),
                    it.protocol,
                    _with_source(it.endpoint, it.endpoint_source),
                    _with_source(it.compression, it.compression_source),
                    it.result,
                )
                for it in examination.signals
            ],
        ),
    ]
    lines: list[str] = []
    for title, rows in sections:
        lines += [title, *_aligned(rows), ""]
    if not examination.findings:
        return "\n".join([*lines, "no problems found", ""])
    found = [f"  {number}. {text}" for number, text in enumerate(examination.findings, 1)]
    return "\n".join([*lines, "findings", *found, ""])


def _framework(framework: Framework) -> tuple[str, ...]:
    installed = ", ".join(" ".join(pair) for pair in framework.installed.items())
    if framework.runs == "nothing":
        return framework.name, installed or "not installed", "not supported" if installed else ""
    row = (framework.name, installed, framework.summary, f"runs: {framework.runs}")
    return (*row, framework.own_telemetry) if framework.own_telemetry else row


def _if_any(
    title: str, rows: Iterable[tuple[str, ...]]
) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    if found := [*rows]:
        yield title, found


def _other(other: OtherLibrary) -> tuple[str, ...]:
    installed = ", ".join(" ".join(pair) for pair in other.installed.items())
    return other.library, installed, f"scopes: {', '.join(other.scopes)}"


def _scope(scope: EmittingScope) -> tuple[str, ...]:
    calls = f"model calls: {scope.model_calls}" if scope.model_calls else ""
    return scope.scope, scope.library or "not known", f"spans: {scope.spans}", calls


def _from(source: str) -> str:
    return source if source.startswith("default") else "set"


def _with_source(value: str, source: str) -> str:
    return value if source in ("", "default") else f"{value} ({source})"


def _aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    rows = list(rows)
    columns = max((len(row) for row in rows), default=0)
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(columns)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield ("  " + "  ".join(cells)).rstrip()
