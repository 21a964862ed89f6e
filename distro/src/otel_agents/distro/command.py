"""The command ``otel-agents``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

__all__ = ["main"]

_IMPORT_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the status to exit with: 0 fine, 1 findings or a failure, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    if options.command == "demo":
        from otel_agents.distro import demo

        return demo.run()
    return _doctor(options.json, options.timeout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="otel-agents", description="OpenTelemetry for AI agents: see what it does here."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "demo", help="run an agent against a scripted local model and draw its trace"
    )
    doctor = commands.add_parser(
        "doctor", help="what is installed, instrumented, in conflict, set, and who answers"
    )
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.add_argument(
        "--timeout",
        type=float,
        default=_IMPORT_SECONDS,
        metavar="SECONDS",
        help="how long one framework may take to be imported (default: %(default)g)",
    )
    return parser


def _doctor(as_json: bool, timeout: float) -> int:
    from otel_agents.distro.doctor import examine
    from otel_agents.distro.doctor.text import as_text

    examination = examine(timeout)
    if as_json:
        sys.stdout.write(json.dumps(examination.as_json(), indent=2) + "\n")
    else:
        sys.stdout.write(as_text(examination))
    return 1 if examination.findings else 0


if __name__ == "__main__":
    sys.exit(main())
