"""A price list that the program sets, before or after the start, is used."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from instrumented import instrumented, script
from litellm_calls import litellm

PRICES = {
    "house-model": {
        "input_cost_per_token": 0.001,
        "output_cost_per_token": 0.002,
        "litellm_provider": "openai",
        "mode": "chat",
    }
}
PROGRAM = """
    import os
    os.environ["LITELLM_MODEL_COST_MAP_URL"] = os.environ["PRICES"]
    import litellm

    prices = litellm.model_cost["house-model"]
    print(prices["input_cost_per_token"], prices["output_cost_per_token"])
    """


@contextmanager
def listing() -> Generator[str, None, None]:
    """Return the URL of a price list that is long enough for LiteLLM to accept."""
    known: dict[str, Any] = litellm.model_cost
    prices = json.dumps({**known, **PRICES}, default=str).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(prices)))
            self.end_headers()
            self.wfile.write(prices)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/prices.json"
        server.shutdown()
        thread.join()


def test_the_programs_price_list_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listing() as url:
        monkeypatch.delenv("LITELLM_LOCAL_MODEL_COST_MAP")
        variables = {"PRICES": url, "OTEL_TRACES_EXPORTER": "tree"}
        path = script(tmp_path, PROGRAM)
        bare, ours = (
            instrumented(path, variables, instrument=instrument, installed=True)
            for instrument in (False, True)
        )
    assert (ours.status, ours.out) == (bare.status, bare.out), ours.err
    assert ours.out == "0.001 0.002\n"
