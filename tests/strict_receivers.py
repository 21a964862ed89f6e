"""Strict OTLP receivers over HTTP and gRPC.

They check path, content type, encoding, headers and certificates, and keep every request. They
refuse as real receivers do: an unsupported compression with gRPC's UNIMPLEMENTED, or 415 over HTTP.
"""

from __future__ import annotations

import gzip
import ssl
import subprocess
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["Arrived", "Refusal", "StrictGrpc", "StrictHttp", "Tls", "certified"]

_GRPC_BITS = {"none": 1, "deflate": 2, "gzip": 4}
_SERVICES: Mapping[str, tuple[str, Any]] = {
    "traces": (
        "opentelemetry.proto.collector.trace.v1.TraceService",
        ExportTraceServiceRequest,
    ),
    "metrics": (
        "opentelemetry.proto.collector.metrics.v1.MetricsService",
        ExportMetricsServiceRequest,
    ),
    "logs": (
        "opentelemetry.proto.collector.logs.v1.LogsService",
        ExportLogsServiceRequest,
    ),
}
_UNCOMPRESS: Mapping[str, Callable[[bytes], bytes]] = {
    "": lambda body: body,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}


@dataclass(frozen=True)
class Tls:
    """Two PEM files; the certificate is its own authority and serves both ends."""

    certificate: Path
    key: Path


def certified(folder: Path) -> Tls:
    """Create a certificate for 127.0.0.1."""
    made = Tls(folder / "tls.crt", folder / "tls.key")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    name = ("-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1")
    files = ("-out", str(made.certificate), "-keyout", str(made.key))
    command = ["openssl", "req", "-x509", *curve, *name, *files]
    subprocess.run(command, check=True, capture_output=True)
    return made


@dataclass(frozen=True)
class Refusal:
    """A response instead of an acceptance; ``status`` is an HTTP status or a gRPC code."""

    status: Any
    body: bytes = b""
    kind: str = "text/plain"
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Arrived:
    """A request: ``path`` is HTTP's, or the signal where gRPC accepted it."""

    path: str
    headers: Mapping[str, str]
    request: Any = None


class _Receiver:
    """What both have in common.

    Args:
        compressions: Accepted ones; ``none`` always is.
        tls: The certificate to use; default is no TLS.
        mutual: The client needs a certificate too.
        refusal: The response to valid requests.
        hang: Send no response until the end.
        accepts: Body of its responses, a protobuf message.
    """

    def __init__(
        self,
        compressions: Sequence[str] = ("gzip",),
        *,
        tls: Tls | None = None,
        mutual: bool = False,
        refusal: Refusal | None = None,
        hang: bool = False,
        accepts: bytes = b"",
    ) -> None:
        self.accepts = accepts
        self.arrived: list[Arrived] = []
        self.refused = 0
        self.compressions = compressions
        self.tls = tls
        self.mutual = mutual
        self.refusal = refusal
        self.ended = threading.Event()
        self._hang = hang
        self._exits = ExitStack()

    def wait(self) -> None:
        if self._hang:
            self.ended.wait(30)

    def url(self, port: int) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{port}"

    @property
    def address(self) -> str:
        """Host and port."""
        return self.endpoint.partition("://")[2]

    @property
    def endpoint(self) -> str:
        raise NotImplementedError

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._exits.close()


class StrictHttp(_Receiver):
    """Over HTTP; ``paths`` are those that are served, by the signal."""

    def __init__(self, *args: Any, paths: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.paths = {path: name for name, path in (paths or _default_paths()).items()}
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if self.tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls.certificate, self.tls.key)
            if self.mutual:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(self.tls.certificate)
            # The connection's thread makes the handshake, or one client would block all.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        self._exits.callback(thread.join)
        self._exits.callback(self._server.server_close)
        self._exits.callback(self._server.shutdown)

    @property
    def endpoint(self) -> str:
        return self.url(self._server.server_port)

    def respond(self, path: str, headers: Mapping[str, str], body: bytes) -> Refusal:
        self.wait()
        encoding = headers.get("content-encoding", "")
        if path not in self.paths:
            return self._refused(404, f"no {path} here")
        if headers.get("content-type") != "application/x-protobuf":
            return self._refused(415, "the content type is not application/x-protobuf")
        if encoding not in ("", *self.compressions):
            return self._refused(415, f"{encoding} is not supported")
        if self.refusal is not None:
            return self.refusal
        _, kind = _SERVICES[self.paths[path]]
        request = kind.FromString(_UNCOMPRESS[encoding](body))
        self.arrived.append(Arrived(path, headers, request))
        return Refusal(200, self.accepts, "application/x-protobuf")

    def _refused(self, status: int, text: str) -> Refusal:
        self.refused += 1
        return Refusal(status, text.encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that do not trust the certificate or disconnect."""


def _default_paths() -> dict[str, str]:
    return {name: f"/v1/{name}" for name in _SERVICES}


def _handler(receiver: StrictHttp) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            respond = receiver.respond(self.path, headers, body)
            self.send_response(respond.status)
            self.send_header("Content-Length", str(len(respond.body)))
            self.send_header("Content-Type", respond.kind)
            for name, value in respond.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(respond.body)

        def log_message(self, format: str, *args: Any) -> None: ...

    return Handler


class StrictGrpc(_Receiver):
    """Over gRPC; ``signals`` are those that are served, the others are UNIMPLEMENTED."""

    def __init__(self, *args: Any, signals: Sequence[str] = (*_SERVICES,), **options: Any) -> None:
        super().__init__(*args, **options)
        bits = sum(_GRPC_BITS[name] for name in {"none", *self.compressions})
        self._pool = ThreadPoolExecutor(4)
        self._server = grpc.server(
            self._pool, options=[("grpc.compression_enabled_algorithms_bitset", bits)]
        )
        for name in signals:
            self._server.add_generic_rpc_handlers((self._service(name),))
        if self.tls is None:
            self._port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            pair = (self.tls.key.read_bytes(), self.tls.certificate.read_bytes())
            roots = pair[1] if self.mutual else None
            credentials = grpc.ssl_server_credentials([pair], roots, self.mutual)
            self._port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()
        self._exits.callback(self._pool.shutdown)
        self._exits.callback(lambda: self._server.stop(0).wait())

    @property
    def endpoint(self) -> str:
        return self.url(self._port)

    def _service(self, signal: str) -> Any:
        service, kind = _SERVICES[signal]

        def export(request: Any, context: Any) -> bytes:
            self.wait()
            if self.refusal is not None:
                context.set_trailing_metadata(tuple(self.refusal.headers.items()))
                context.abort(self.refusal.status, self.refusal.body.decode())
            metadata = dict(context.invocation_metadata())
            self.arrived.append(Arrived(signal, metadata, request))
            return self.accepts

        library: Any = grpc  # its stubs require a serializer
        handler = library.unary_unary_rpc_method_handler(export, kind.FromString)
        return grpc.method_handlers_generic_handler(service, {"Export": handler})
