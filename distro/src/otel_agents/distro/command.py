"""The command ``otel-agents``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from platform import python_version
from typing import Any, Final

from otel_agents.distro import demo
from otel_agents.distro.discovery import versions

__all__ = ["main"]

_PROGRAM: Final = "otel-agents"
_PARTS: Final = ("otel-agents-instrumentors", "otel-agents-semconv")
_SDK: Final = "opentelemetry-sdk"
_IMPORT_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its status: 0 success, 1 findings or a failure, 2 usage error."""
    options = _parser().parse_args(arguments)
    if options.command == "demo":
        return demo.run(options.model)
    program = options.program[1:] if options.program[:1] == ["--"] else options.program
    return _doctor(options.json, options.timeout, program)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_PROGRAM, description="OpenTelemetry for AI agents: inspect and try it."
    )
    parser.add_argument("--version", action=_Version, help="show the installed versions and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo.add_arguments(
        commands.add_parser(
            "demo", help="run an agent against a scripted local model and draw its trace"
        )
    )
    doctor = commands.add_parser(
        "doctor",
        help="show what is installed, instrumented, in conflict and configured, "
        "and check the endpoints",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.add_argument(
        "--timeout",
        type=float,
        default=_IMPORT_SECONDS,
        metavar="SECONDS",
        help="time limit for importing one framework (default: %(default)g)",
    )
    doctor.add_argument(
        "program",
        nargs=argparse.REMAINDER,
        metavar="-- PROGRAM …",
        help="run this command under opentelemetry-instrument, and show which scopes it emits; its "
        "spans come here, and not to your endpoint",
    )
    return parser


class _Version(argparse.Action):
    """Prints versions, looked up only when requested."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        sys.stdout.write(f"{_versions()}\n")
        parser.exit()


def _versions() -> str:
    """Return our version, those of parts that differ, of Python and of the SDK."""
    found = versions()
    ours = found.get(_PROGRAM, "(not installed)")
    parts = [f"{name} {found[name]}" for name in _PARTS if found.get(name, ours) != ours]
    below = [f"{name} {found[name]}" for name in (_SDK,) if name in found]
    return f"{_PROGRAM} {ours} ({', '.join([*parts, f'Python {python_version()}', *below])})"


def _doctor(as_json: bool, timeout: float, program: Sequence[str]) -> int:
    from otel_agents.distro.starting.invalid import valid_environment

    environ = dict(os.environ)
    with valid_environment():  # values that OpenTelemetry raises for are findings
        from otel_agents.distro.doctor import examine
        from otel_agents.distro.doctor.text import as_text

        examination = examine(timeout, environ, program)
    if as_json:
        sys.stdout.write(json.dumps(examination.as_json(), indent=2) + "\n")
    else:
        sys.stdout.write(as_text(examination))
    return 1 if examination.findings else 0


if __name__ == "__main__":
    sys.exit(main())
