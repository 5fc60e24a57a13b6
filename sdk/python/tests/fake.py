"""A small fake of a node's API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import TestCase

from opensky import Client, OpenSkyError

TOKEN = "secret-token"
JOB = "0123456789abcdef"


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answering:
    """What a handler answers with; without a length it ends with its connection."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler

    def begin(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._handler.send_response(status)
        for name, value in {**(headers or {}), "connection": "close"}.items():
            self._handler.send_header(name, value)
        self._handler.end_headers()

    def write(self, piece: bytes) -> None:
        self._handler.wfile.write(piece)

    def whole(self, body: bytes, status: int = 200) -> None:
        self.begin(status, {"content-length": str(len(body))})
        self.write(body)

    def json(self, value: Any, status: int = 200) -> None:
        self.whole(json.dumps(value).encode(), status)

    def problem(self, status: int, code: str) -> None:
        self.json({"title": code, "code": code, "detail": "the fake says so", "next": "try something else"}, status)

    def wait_for_reader_to_leave(self) -> None:
        self._handler.connection.recv(1)


Handle = Callable[[Asked, Answering], None]


class Fake:
    """Serves `handle` until the test is over."""

    def __init__(self, test: TestCase, handle: Handle, reads_body: bool) -> None:
        self.asked: list[Asked] = []
        self._handle = handle
        self._reads_body = reads_body
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                fake.serve(self)

            do_GET = do_PUT = do_POST = do_DELETE = serve

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        test.addCleanup(server.server_close)
        test.addCleanup(server.shutdown)
        self.address = f"127.0.0.1:{server.server_port}"
        self.client = Client(self.address, TOKEN)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        handler.close_connection = True
        try:
            body = body_of(handler, headers) if self._reads_body else b""
            asked = Asked(handler.command, handler.path, headers, body)
            self.asked.append(asked)
            self._handle(asked, Answering(handler))
        except (ConnectionError, ValueError):
            pass  # Who asked has left.


def body_of(handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return handler.rfile.read(int(headers.get("content-length", 0)))
    body = b""
    while size := int(handler.rfile.readline(), 16):
        body += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return body


class FakeCase(TestCase):
    """A test against fakes."""

    def fake(self, handle: Handle, reads_body: bool = True) -> Fake:
        return Fake(self, handle, reads_body)

    def fails(self, code: str, call: Callable[[], object], status: int = 0) -> Any:
        """The error of a call that must fail so."""
        with self.assertRaises(OpenSkyError) as caught:
            call()
        self.assertEqual((caught.exception.status, caught.exception.code), (status, code))
        return caught.exception
