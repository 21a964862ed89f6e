"""The scripted model behind a WebSocket, as OpenAI serves the Responses API there."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from websockets.sync.server import ServerConnection, serve

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["websocket_before"]

_DATA = b"data: "
_LAST = ("error", "response.completed", "response.failed", "response.incomplete")


@contextmanager
def websocket_before(model: ScriptedModel) -> Generator[str]:
    """Pass each request to ``model``, and its events back; yield the base URL."""

    def handle(connection: ServerConnection) -> None:
        for frame in connection:
            kind = None
            with suppress(HTTPException, OSError):  # the model closes its connection
                for event in _events(model, json.loads(frame)):
                    connection.send(json.dumps(event))
                    kind = event["type"]
            if kind not in _LAST:
                connection.close()

    with serve(handle, "127.0.0.1", 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1"
        finally:
            server.shutdown()
            thread.join()


def _events(model: ScriptedModel, frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind = frame.pop("type")
    assert kind == "response.create"
    request = Request(
        f"{model.openai_url}/responses",
        json.dumps(frame).encode(),
        {"content-type": "application/json", "authorization": "Bearer none"},
    )
    try:
        with urlopen(request) as response:
            for line in response:
                if line.startswith(_DATA):
                    yield json.loads(line.removeprefix(_DATA))
    except HTTPError as error:
        with error:
            yield {"type": "error", "status": error.code, **json.load(error)}
