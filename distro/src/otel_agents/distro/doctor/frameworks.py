"""Each framework that has an instrumentor: installed, supported, patched, in conflict."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, PackageNotFoundError, version
from types import MappingProxyType
from typing import Any, Final

from packaging.requirements import Requirement

from otel_agents.distro.discovery import registered
from otel_agents.distro.doctor.probe import MARK, is_there
from otel_agents.distro.environment import DISABLED_INSTRUMENTATIONS, Environment
from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.instrumentors.hosting import (
    GROUP,
    ConflictingInstrumentation,
    active_conflicts,
    is_ours,
    plain_name,
)
from otel_agents.instrumentors.settings import Prefer, Settings

__all__ = ["Framework", "examine_frameworks"]

_PARTS: Final = re.compile(r"otel[-_.]agents([-_.]instrumentors)?(?![-_.\w])", re.IGNORECASE)
"""Requirements of distributions that build instrumentors with our core."""

_QUIET: Final = MappingProxyType({"OTEL_SDK_DISABLED": "true", "PYTHONWARNINGS": "ignore"})


@dataclass(frozen=True)
class Framework:
    """One framework.

    ``runs`` is ``ours``, ``theirs`` (a preferred conflicting instrumentation), ``both`` (that one,
    and ours that counts a native library's model calls once), ``off`` (disabled) or ``nothing`` (not
    installed, or unsupported version). ``also_active`` are the conflicts that
    run although ours does, because they instrument more. ``own_telemetry`` is the library's own
    equivalent, and what happens to it if the application enables it or where it is native, or its
    exporter to its vendor, and how to disable that. ``problem`` is a sentence, or empty.
    """

    name: str
    installed: dict[str, str]
    requires: tuple[str, ...]
    runs: str
    summary: str = ""
    targets: tuple[dict[str, str], ...] = ()
    conflicts: tuple[str, ...] = ()
    also_active: tuple[str, ...] = ()
    problem: str = field(default="")
    own_telemetry: str = ""

    @property
    def findings(self) -> Iterator[str]:
        """A sentence for each problem."""
        if self.problem:
            yield f"{self.name}: {self.problem}"
        missing = [row["target"] for row in self.targets if row["state"] == "missing"]
        if missing:
            yield f"{self.name}: not found in the installed version: {', '.join(missing)}"
        displaced = [it for it in self.conflicts if it not in self.also_active]
        if displaced and self.runs == "ours":
            yield (
                f"{self.name}: also instrumented by {', '.join(displaced)}, which is not loaded; "
                "uninstall it, or set OTEL_AGENTS_PREFER=theirs"
            )
        if self.also_active and self.runs == "ours":
            yield (
                f"{self.name}: also instrumented, with more, by {', '.join(self.also_active)}, so "
                "both run; disable one by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, or set "
                "OTEL_AGENTS_PREFER=theirs"
            )


def examine_frameworks(timeout: float) -> tuple[Framework, ...]:
    """Return all frameworks with an instrumentor built on our core, sorted by name."""
    ours = [it for it in registered(GROUP) if is_ours(it) or _is_of_our_parts(it)]
    return tuple(_examine(it, timeout) for it in sorted(ours, key=lambda it: it.name))


def _is_of_our_parts(entry_point: EntryPoint) -> bool:
    """Return whether a foreign instrumentor is built on our core."""
    distribution: Any = entry_point.dist
    try:
        needed: tuple[str, ...] = tuple(distribution.requires or ()) if distribution else ()
        if not any(map(_PARTS.match, needed)):
            return False
        kind: Any = entry_point.load()
    except Exception:  # noqa: BLE001  the loader reports it
        return False
    return isinstance(kind, type) and issubclass(kind, AgentInstrumentor)


def _examine(entry_point: EntryPoint, timeout: float) -> Framework:
    name = plain_name(entry_point)
    try:
        instrumentor: Any = entry_point.load()
        requires: tuple[str, ...] = tuple(instrumentor.requires)
    except Exception as error:  # noqa: BLE001  a broken installation is a finding
        return Framework(name, {}, (), "nothing", problem=f"cannot be loaded ({error!r})")
    installed = _installed(requires)
    if not installed:
        return Framework(name, installed, requires, "nothing")
    conflict = instrumentor()._check_dependency_conflicts()
    if conflict is not None and conflict.found is None:
        return Framework(name, {}, requires, "nothing")
    if conflict is not None:
        problem = f"the installed version is not supported ({' or '.join(requires)})"
        return Framework(name, installed, requires, "nothing", problem=problem)
    disabled = Environment().listed(DISABLED_INSTRUMENTATIONS)
    conflicts = active_conflicts(instrumentor, disabled)
    runs = _runs(entry_point, instrumentor, conflicts, disabled)
    found = _probe(entry_point.name, timeout) if runs != "off" else {}
    own = _own(instrumentor) if runs in ("ours", "both") else ""
    return Framework(
        name,
        installed,
        requires,
        runs,
        found.get("summary", ""),
        tuple(found.get("targets", ())),
        tuple(map(str, conflicts)),
        tuple(map(str, _also_active(conflicts, runs))),
        "; ".join(filter(None, (_unavailable(conflicts, runs), found.get("problem", "")))),
        "; ".join(filter(None, (own, _vendor_exporter(instrumentor)))),
    )


def _vendor_exporter(instrumentor: type[AgentInstrumentor]) -> str:
    """Return the sentence about it, or nothing if it is not enabled."""
    switches = instrumentor.vendor_switches
    enabled = not switches or any(map(Environment().flag, switches))
    return instrumentor.vendor_exporter if enabled else ""


def _own(instrumentor: type[AgentInstrumentor]) -> str:
    """Return what happens to the library's own telemetry, and how to change that."""
    telemetry = instrumentor.own_telemetry
    if instrumentor.is_native:
        return "native, completed by us"
    if not telemetry:
        return ""
    if Settings.read().prefer is Prefer.THEIRS:
        return f"{telemetry}: preferred to ours"
    return f"{telemetry}: disabled unless OTEL_AGENTS_PREFER=theirs"


def _unavailable(conflicts: tuple[ConflictingInstrumentation, ...], runs: str) -> str:
    """Return a sentence about preferred conflicts that cannot be loaded, or nothing."""
    modules = {conflict: conflict.value.partition(":")[0].strip() for conflict in conflicts}
    missing = [f"{it} (no module {modules[it]})" for it in conflicts if not is_there(modules[it])]
    if runs not in ("theirs", "both") or not missing:
        return ""
    return (
        f"it is left to {' and '.join(missing)}, which cannot be loaded; "
        "install what is missing, or unset OTEL_AGENTS_PREFER"
    )


def _installed(requires: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in requires:
        name = Requirement(text).name
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _also_active(
    conflicts: tuple[ConflictingInstrumentation, ...], runs: str
) -> Iterator[ConflictingInstrumentation]:
    return (it for it in conflicts if runs == "both" or (runs == "ours" and it.is_broader))


def _runs(
    entry_point: EntryPoint,
    instrumentor: type[AgentInstrumentor],
    conflicts: tuple[ConflictingInstrumentation, ...],
    disabled: tuple[str, ...],
) -> str:
    if {"*", entry_point.name, plain_name(entry_point)} & set(disabled):
        return "off"
    if not conflicts or Settings.read().prefer is Prefer.OURS:
        return "ours"
    return "both" if instrumentor.is_native else "theirs"


def _probe(name: str, timeout: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "otel_agents.distro.doctor.probe", name]
    environ = {**os.environ, **_QUIET}
    try:
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"its import took more than {timeout:g} s"}
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return json.loads(line.removeprefix(MARK))
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return {"problem": f"its import ended the process with status {done.returncode} ({last})"}
