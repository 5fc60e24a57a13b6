"""What came back: whole and capped, or in pieces as they come."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from .errors import OpenSkyError, bad_answer, timed_out, too_large

#: Longest JSON answer that is read.
JSON_BYTES_MAX = 64 * 1024 * 1024
#: Longest problem that is read; the node's are a few lines.
PROBLEM_BYTES_MAX = 64 * 1024
#: Most that is read at a time.
PIECE_BYTES_MAX = 64 * 1024


class Answer:
    """An answer that has begun. Whoever has it closes it, or reads it to its end."""

    def __init__(
        self, link: HTTPConnection, wire: socket.socket, response: HTTPResponse, deadline: float | None
    ) -> None:
        self._link = link
        self._wire = wire
        self._response = response
        self._deadline = deadline
        self.status = response.status

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def close(self) -> None:
        """Lets go of the connection. Another thread that reads it comes back at once."""
        try:
            self._wire.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # It is closed already.

    def _release(self) -> None:
        self._response.close()
        self._link.close()

    def pieces(self, idle: float | None = None, *, is_stream: bool = True) -> Iterator[bytes]:
        """The pieces of the body. Each may take `idle` seconds; no stream must be over by the call's deadline."""
        # What a server announces is counted here: not every Python does, and would wait for more at its end.
        remaining = self._response.length
        try:
            while remaining != 0:
                self._wire.settimeout(idle if is_stream else self._time_left())
                piece = self._response.read1(min(PIECE_BYTES_MAX, remaining or PIECE_BYTES_MAX))
                if not piece:
                    if remaining is not None:
                        raise OpenSkyError(0, "broken-off", "the node's answer broke off")
                    return
                if remaining is not None:
                    remaining -= len(piece)
                yield piece
        except TimeoutError:
            raise timed_out() from None
        except (OSError, HTTPException, ValueError) as error:
            # A ValueError is what a malformed size of a chunk, or a file closed meanwhile, becomes.
            raise OpenSkyError(0, "broken-off", "the node's answer broke off") from error
        finally:
            self._release()

    def _time_left(self) -> float | None:
        if self._deadline is None:
            return None
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise timed_out()
        return left

    def whole(self, bytes_max: int, idle: float | None = None) -> bytes:
        """The whole body: with `idle` for each piece, or by the call's deadline."""
        gathered = bytearray()
        for piece in self.pieces(idle, is_stream=idle is not None):
            gathered += piece
            if len(gathered) > bytes_max:
                self.close()
                raise too_large("the answer", bytes_max)
        return bytes(gathered)

    def json(self) -> Any:
        """The body as JSON; `None` if there is none."""
        body = self.whole(JSON_BYTES_MAX)
        if not body:
            return None
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise bad_answer("it is not JSON") from None

    def problem(self) -> OpenSkyError:
        """The body as the problem that it is; of what is none (something else may listen there), its status."""
        unknown = OpenSkyError(self.status, "unknown", f"the answer has status {self.status}")
        try:
            problem = json.loads(self.whole(PROBLEM_BYTES_MAX))
        except (OpenSkyError, ValueError, RecursionError):
            return unknown
        fields = [problem.get(key) for key in ("code", "detail", "next")] if isinstance(problem, dict) else []
        match fields:
            case [str(code), str(detail), None | str() as next]:
                return OpenSkyError(self.status, code, detail, next)
        return unknown
