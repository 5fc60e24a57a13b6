"""The one place that speaks HTTP."""

from __future__ import annotations

import json as to_json
import re
import socket
import time
import uuid
from collections.abc import Iterable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, Any, Union
from urllib.parse import quote, urlencode, urlsplit

from .answer import Answer
from .errors import OpenSkyError, timed_out
from .routes import ONCE

#: How long an answer that is not a stream may take, in seconds.
CALL_S = 60.0

Body = Union[bytes, IO[bytes], Iterable[bytes]]


class Connection:
    """Where the API is and what opens it. Each call has a connection of its own, so threads may share one."""

    def __init__(self, address: str, token: str) -> None:
        url = urlsplit(address if "://" in address else f"http://{address}")
        if url.scheme not in ("http", "https") or url.hostname is None:
            raise ValueError(f"{address} is no address of an API")
        self.address = f"{url.scheme}://{url.netloc}"
        self._kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        self._host, self._port = url.hostname, url.port
        self._token = token.strip()

    def __repr__(self) -> str:
        """The token stays out."""
        return f"Connection({self.address!r})"

    def ask(self, method: str, route: str, **call: Any) -> Any:
        """Sends a request whose answer is JSON, or nothing."""
        return self.open(method, route, **call).json()

    def open(
        self,
        method: str,
        route: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: Body | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Sends a request; its answer if it is not a problem, else raises that."""
        sent = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        if json is not None:
            body, sent["Content-Type"] = to_json.dumps(json).encode(), "application/json"
        key = (idempotency_key or str(uuid.uuid4())) if f"{method} {route}" in ONCE else None
        if key is not None:
            sent["Idempotency-Key"] = key
        try:
            answer = self._send(method, target(route, path, query), body, sent, timeout or CALL_S)
            if not answer.is_success:
                raise answer.problem()
            return answer
        except OpenSkyError as error:
            error.idempotency_key = key
            raise

    def _send(self, method: str, url: str, body: Body | None, headers: dict[str, str], timeout: float) -> Answer:
        deadline = time.monotonic() + timeout
        link = self._kind(self._host, self._port, timeout=timeout)
        try:
            wire = self._connected(link)
            response = exchanged(link, method, url, body, headers)
            return Answer(link, wire, response, deadline)
        except TimeoutError:
            link.close()
            raise timed_out() from None
        except (ConnectionError, HTTPException) as error:
            link.close()
            raise OpenSkyError(0, "broken-off", "the node's answer broke off") from error
        except BaseException:
            link.close()
            raise

    def _connected(self, link: HTTPConnection) -> socket.socket:
        try:
            link.connect()
        except TimeoutError:
            raise
        except OSError as error:
            raise OpenSkyError(0, "unreachable", f"no node answers at {self.address}") from error
        wire: socket.socket = link.sock
        # A stream may be silent for hours; a peer that is gone must still be found out.
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return wire


def exchanged(link: HTTPConnection, method: str, url: str, body: Body | None, headers: dict[str, str]) -> HTTPResponse:
    """Sends a request and waits for its answer to begin."""
    try:
        link.request(method, url, body=body, headers=headers)
    except ConnectionError:
        # Whoever refuses a long upload says why and hangs up before its end.
        pass
    return link.getresponse()


def target(route: str, path: Mapping[str, str] | None = None, query: Mapping[str, object] | None = None) -> str:
    """Path and query of a call."""
    filled = re.sub(r"\{(\w+)\}", lambda name: quote((path or {})[name[1]], safe=""), route)
    fields = {key: words(value) for key, value in (query or {}).items() if value is not None}
    return f"{filled}?{urlencode(fields)}" if fields else filled


def words(value: object) -> str:
    """A value as queries have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
