"""A server that responds to every request with the same chat: prints its URL, and runs until it is killed.

python tests/benchmarks/chat_server.py
"""

from __future__ import annotations

import asyncio
import json
import re
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from typing import Final

from openai_requests import completion

_BODY: Final = json.dumps(completion(1000)).encode()
_RESPONSE: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)
_LENGTH: Final = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


async def respond(reader: StreamReader, writer: StreamWriter) -> None:
    """Respond to the requests of a connection until it is closed."""
    try:
        while True:
            headers = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(headers)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(_RESPONSE)
    except (IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve."""
    server = await asyncio.start_server(respond, "127.0.0.1", 0, backlog=500)
    port = server.sockets[0].getsockname()[1]
    print(f"http://127.0.0.1:{port}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
