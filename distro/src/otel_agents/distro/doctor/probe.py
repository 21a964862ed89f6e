"""In a process of its own: instrument one framework, import it, tell what became of each target.

python -m otel_agents.distro.doctor.probe otel_agents_openai
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, Final, TypeAlias

from otel_agents.distro.discovery import registered
from otel_agents.distro.starting.privacy import silence_frameworks
from otel_agents.instrumentors.hosting import GROUP

__all__ = ["MARK", "is_there", "probe"]

MARK: Final = "otel-agents probe: "
"""Begins the line of JSON; a framework may print what it likes."""

_NO_MODULE: Final = re.compile(r"No module named '([\w.]+)'")
_NO_NAME: Final = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")

_Failures: TypeAlias = Mapping[str, "Exception | None"]


def probe(name: str) -> dict[str, Any]:
    """The report of the instrumentor with entry point ``name``, its framework imported."""
    instrumentor: Any = registered(GROUP, name)[0].load()()
    instrumentor.instrument()  # by itself: as one that is loaded it may stand back for a rival
    modules = dict.fromkeys(_module(row) for row in instrumentor.report().targets)
    failures = {module: _import(module) for module in (*map(_top, modules), *modules)}
    report = instrumentor.report()
    lacks = {module: _lacking(module, error) for module, error in failures.items()}
    targets = tuple(_explained(row, failures, lacks) for row in report.targets)
    report = replace(report, targets=targets)
    broken = dict.fromkeys(_broken(targets, failures, lacks))
    if not targets:
        broken["its table of targets is empty, or making it failed"] = None
    return {
        "summary": _summary(report, lacks),
        "targets": [
            {"target": row.target, "state": row.state, "detail": row.detail} for row in targets
        ],
        "problem": "; ".join(broken),
    }


def _module(row: Any) -> str:
    return row.target.partition(":")[0]


def _top(module: str) -> str:
    return module.partition(".")[0]


def _explained(row: Any, failures: _Failures, lacks: Mapping[str, str | None]) -> Any:
    """A target whose module cannot be imported waits for nothing."""
    module = _module(row)
    error, package = failures[module], lacks[module]
    if row.state != "waiting" or error is None:
        return row
    why = f"needs {package}, which is not installed" if package else _text(error)
    return replace(row, state="absent", detail=why)


def _broken(
    targets: tuple[Any, ...], failures: _Failures, lacks: Mapping[str, str | None]
) -> Iterator[str]:
    """Imports that fail for another reason than a package that the framework can do without."""
    for module in dict.fromkeys(_top(_module(row)) for row in targets):
        if (error := failures[module]) is not None:
            yield f"import {module} failed: {_text(error)}"
    for row in targets:
        module = _module(row)
        error, top = failures[module], failures[_top(module)]
        explained = row.state == "absent" and error is not None and row.detail == _text(error)
        if explained and top is None and not lacks[module]:
            yield f"import {module} failed: {row.detail}"


def _summary(report: Any, lacks: Mapping[str, str | None]) -> str:
    packages = sorted({package for package in lacks.values() if package is not None})
    return f"{report}; not installed: {', '.join(packages)}" if packages else str(report)


def _lacking(module: str, error: BaseException | None) -> str | None:
    """The package for want of which an import failed, maybe with an error of the framework's own."""
    unnamed: str | None = None
    while error is not None:
        missing = _missing(error)
        if missing is not None:
            package = _first(missing, lambda name: not is_there(name))
            own = _first(module, lambda name: not _is_namespace(name))
            return package if not f"{package}.".startswith(f"{own}.") else None
        if isinstance(error, ModuleNotFoundError):
            unnamed = unnamed or f"a package ({_text(error)})"
        error = error.__cause__ or error.__context__
    return unnamed


def _missing(error: BaseException) -> str | None:
    """The module that an error says there is none of."""
    if isinstance(error, ModuleNotFoundError):
        said = _NO_MODULE.search(str(error))
        return error.name or (said[1] if said else None)
    said = _NO_NAME.match(str(error)) if isinstance(error, ImportError) else None
    if said is None or not _is_namespace(said[2]):
        return None
    return f"{said[2]}.{said[1]}"  # from a namespace nothing can be imported but what is installed


def _first(module: str, is_it: Callable[[str], bool]) -> str:
    """The shortest part of a dotted name for which that holds; all of it if there is none."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(1, len(parts)))
    return next(filter(is_it, names), module)


def is_there(module: str) -> bool:
    """Whether a module is installed; what it lies in is imported, it is not."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
    except Exception:  # noqa: BLE001  it is there, and importing what it lies in failed
        return True


def _is_namespace(module: str) -> bool:
    """Whether it is a folder that several packages may share."""
    try:
        spec = find_spec(module)
    except Exception:  # noqa: BLE001  of what it lies in
        return False
    return spec is not None and spec.origin is None and spec.submodule_search_locations is not None


def _import(module: str) -> Exception | None:
    """Import ``module``; what went wrong."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  a framework's import may raise anything
        return error
    return None


def _text(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _main() -> None:
    silence_frameworks()
    sys.stdout.write(MARK + json.dumps(probe(sys.argv[1])) + "\n")


if __name__ == "__main__":
    _main()
