"""`python -m otel_agents.testing.scripted_model`: print the URL and serve until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading

from otel_agents.testing.scripted_model import ScriptedModel


def main(arguments: list[str] | None = None) -> int:
    """Serve by the default rule, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m otel_agents.testing.scripted_model",
        description="A local replacement of a model provider. Prints its URL; OpenAI is under /v1.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    port: int = parser.parse_args(arguments).port
    model = ScriptedModel(port, keep_requests=False)
    try:
        model.start()
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"Cannot listen on port {port}: {error}. Choose another with --port.\n")
        return 1
    sys.stdout.write(f"{model.base_url}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    model.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
