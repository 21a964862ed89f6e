"""The HTTP server: threads on the loopback interface that read requests and write replies."""

from __future__ import annotations

import json
import logging
import selectors
import socket
import sys
import threading
import uuid
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from otel_agents.testing.scripted_model.dialect import (
    ModelRequest,
    ParsedRequest,
    Reply,
    error_status,
)
from otel_agents.testing.scripted_model.reactions import Failure
from otel_agents.testing.scripted_model.service import Service
from otel_agents.testing.scripted_model.values import Json, json_object

_logger = logging.getLogger("otel_agents")


class Server(ThreadingHTTPServer):
    """Accepts connections on the loopback interface until closed, each in a daemon thread."""

    daemon_threads = True
    request_queue_size = 128
    service: Service

    def __init__(self, port: int, service: Service) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.service = service
        self._closing = threading.Event()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()
        self._acceptor = threading.Thread(target=self._accept, name="scripted-model", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Start to accept connections."""
        self._acceptor.start()

    def close(self) -> None:
        """Close every connection and join every thread."""
        self._closing.set()
        with socket.create_connection(("127.0.0.1", self.port)):  # wakes the acceptor
            self._acceptor.join()
        with self._lock:
            connections = dict(self._open)
        for connection in connections:
            _shut(connection)
        for thread in connections.values():
            thread.join()
        self.server_close()

    def _accept(self) -> None:
        # Not serve_forever: its shutdown takes up to half a second.
        while not self._closing.is_set():
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Refuse what arrives after `close`."""
        return not self._closing.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that `close` can wait for."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        with self._lock:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that went away; anything else is a bug."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            _logger.error("The scripted model failed on a request: %r", error)


class _Handler(BaseHTTPRequestHandler):
    """One keep-alive connection."""

    protocol_version = "HTTP/1.1"
    server_version = "scripted-model"
    disable_nagle_algorithm: ClassVar[bool] = True  # else small chunks wait 40 ms

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: requests are in the ledger."""

    def _serve(self) -> None:
        raw = self._read()
        service = cast(Server, self.server).service
        target = urlsplit(self.path)
        found = service.endpoint(self.command, target.path)
        if found is None:
            self.send(_not_found(f"{self.command} {target.path}"))
            return
        endpoint, match = found
        try:
            fields = _fields(raw, self.headers.get("Content-Type", ""))
        except ValueError as error:
            failure = Failure(400, message=f"The request is not JSON: {error}")
            self.send(Reply(endpoint.error(failure), status=400))
            return
        found_parts = match.groupdict().items()
        parts = {name: unquote(text) for name, text in found_parts if text is not None}
        query = dict(parse_qsl(target.query))
        parsed: ParsedRequest = endpoint.read(fields)
        request = ModelRequest(
            **vars(parsed),
            method=self.command,
            path=target.path,
            query=query,
            headers={name.lower(): text for name, text in self.headers.items()},
            body=fields,
            api=endpoint.api,
            kind=endpoint.kind,
            model=str(parts.get("model") or fields.get("model") or ""),
            stream=endpoint.streamed
            or "true" in (str(fields.get("stream")).lower(), query.get("stream")),
            parts=parts,
        )
        service.serve(endpoint, request, self)

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        self._head(reply, "Content-Length", str(len(reply.body)))
        self.wfile.write(reply.body)

    def start(self, reply: Reply) -> None:
        """Send the head of a stream."""
        self._head(reply, "Transfer-Encoding", "chunked")

    def send_chunk(self, data: bytes) -> None:
        """Send one chunk of a stream."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def finish_stream(self) -> None:
        """End a stream properly."""
        self.wfile.write(b"0\r\n\r\n")

    def gone(self) -> bool:
        """Return whether the client has closed its side."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            readable = bool(selector.select(0))
        return readable and not self.connection.recv(1, socket.MSG_PEEK)

    def drop(self, reply: Reply | None = None) -> None:
        """Close at once; of `reply`, send the head and half the body first."""
        if reply is not None:
            self._head(reply, "Content-Length", str(len(reply.body)))
            self.wfile.write(reply.body[: len(reply.body) // 2])
        self.close_connection = True

    def _head(self, reply: Reply, framing: str, value: str) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header(framing, value)
        self.send_header("x-request-id", f"req_{uuid.uuid4().hex}")
        for name, text in reply.headers.items():
            self.send_header(name, text)
        self.end_headers()


def _fields(raw: bytes, content_type: str) -> Json:
    if content_type.startswith("multipart/form-data"):
        return _form(raw, content_type)
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode()))
    return json_object(json.loads(raw)) if raw else {}


def _form(raw: bytes, content_type: str) -> Json:
    message = BytesParser().parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw
    )
    fields: Json = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if part.is_multipart() or name is None:
            continue
        content = cast(bytes, part.get_payload(decode=True))
        filename = part.get_filename()
        fields[str(name)] = (
            content.decode()
            if filename is None
            else {
                "filename": filename,
                "content_type": part.get_content_type(),
                "size": len(content),
            }
        )
    return fields


def _not_found(what: str) -> Reply:
    failure = Failure(
        404, "not_found", f"The scripted model has no {what}", "invalid_request_error"
    )
    return Reply(error_status(failure), status=404)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client has closed it already
