"""In a subprocess: instrument one framework, import it, and report the state of each target.

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
from otel_agents.distro.starting.privacy import disable_vendor_telemetry
from otel_agents.instrumentors.hosting import GROUP

__all__ = ["MARK", "is_there", "probe"]

MARK: Final = "otel-agents probe: "
"""Prefix of the line of JSON: a framework may print too."""

_NO_MODULE: Final = re.compile(r"No module named '([\w.]+)'")
_NO_NAME: Final = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")

_Failures: TypeAlias = Mapping[str, "Exception | None"]


def probe(name: str) -> dict[str, Any]:
    """Return the report of the instrumentor ``name`` after importing its framework."""
    instrumentor: Any = registered(GROUP, name)[0].load()()
    instrumentor.instrument()  # not by the loader, which may skip it because of a conflict
    modules = dict.fromkeys(_module(row) for row in instrumentor.report().targets)
    failures = {module: _import(module) for module in (*map(_top, modules), *modules)}
    report = instrumentor.report()
    missing = {module: _missing_package(module, error) for module, error in failures.items()}
    targets = tuple(_explained(row, failures, missing) for row in report.targets)
    report = replace(report, targets=targets)
    broken = dict.fromkeys(_broken(targets, failures, missing))
    if not targets:
        broken["its table of targets is empty, or making it failed"] = None
    return {
        "summary": _summary(report, missing),
        "targets": [
            {"target": row.target, "state": row.state, "detail": row.detail} for row in targets
        ],
        "problem": "; ".join(broken),
    }


def _module(row: Any) -> str:
    return row.target.partition(":")[0]


def _top(module: str) -> str:
    return module.partition(".")[0]


def _explained(row: Any, failures: _Failures, missing: Mapping[str, str | None]) -> Any:
    """Mark a waiting target as absent if its module cannot be imported."""
    module = _module(row)
    error, package = failures[module], missing[module]
    if row.state != "waiting" or error is None:
        return row
    why = f"needs {package}, which is not installed" if package else _text(error)
    return replace(row, state="absent", detail=why)


def _broken(
    targets: tuple[Any, ...], failures: _Failures, missing: Mapping[str, str | None]
) -> Iterator[str]:
    """Yield imports that fail for another reason than a missing optional package."""
    packages = dict.fromkeys(_top(_module(row)) for row in targets)
    one_is_imported = any(failures[package] is None for package in packages)
    for module in packages:
        if (error := failures[module]) is not None and (is_there(module) or not one_is_imported):
            yield f"import {module} failed: {_text(error)}"
    for row in targets:
        module = _module(row)
        error, top = failures[module], failures[_top(module)]
        explained = row.state == "absent" and error is not None and row.detail == _text(error)
        if explained and top is None and not missing[module]:
            yield f"import {module} failed: {row.detail}"


def _summary(report: Any, missing: Mapping[str, str | None]) -> str:
    packages = sorted({package for package in missing.values() if package is not None})
    return f"{report}; not installed: {', '.join(packages)}" if packages else str(report)


def _missing_package(module: str, error: BaseException | None) -> str | None:
    """Return the missing package that made an import fail, maybe with the framework's own error."""
    unnamed: str | None = None
    while error is not None:
        absent = _missing_module(error)
        if absent is not None:
            package = _first(absent, lambda name: not is_there(name))
            own = _first(module, lambda name: not _is_namespace(name))
            return package if not f"{package}.".startswith(f"{own}.") else None
        if isinstance(error, ModuleNotFoundError):
            unnamed = unnamed or f"a package ({_text(error)})"
        error = error.__cause__ or error.__context__
    return unnamed


def _missing_module(error: BaseException) -> str | None:
    """Return the module that an error reports as missing."""
    if isinstance(error, ModuleNotFoundError):
        match = _NO_MODULE.search(str(error))
        return error.name or (match[1] if match else None)
    match = _NO_NAME.match(str(error)) if isinstance(error, ImportError) else None
    if match is None or not _is_namespace(match[2]):
        return None
    return (
        f"{match[2]}.{match[1]}"  # a namespace package has only the submodules that are installed
    )


def _first(module: str, is_it: Callable[[str], bool]) -> str:
    """Return the shortest prefix of a dotted name that matches, else all of it."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(1, len(parts)))
    return next(filter(is_it, names), module)


def is_there(module: str) -> bool:
    """Return whether a module is installed; its parent packages are imported, it is not."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
    except Exception:  # noqa: BLE001  it is there, and importing its parent failed
        return True


def _is_namespace(module: str) -> bool:
    """Return whether it is a namespace package."""
    try:
        spec = find_spec(module)
    except Exception:  # noqa: BLE001  its parent may raise anything
        return False
    return spec is not None and spec.origin is None and spec.submodule_search_locations is not None


def _import(module: str) -> Exception | None:
    """Import ``module``; return its error, if any."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  a framework's import may raise anything
        return error
    return None


def _text(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _main() -> None:
    disable_vendor_telemetry()
    sys.stdout.write(MARK + json.dumps(probe(sys.argv[1])) + "\n")


if __name__ == "__main__":
    _main()
