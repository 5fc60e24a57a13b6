"""Server-sent events (WHATWG HTML, "interpreting an event stream"): bytes in, events out."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import too_large
from .lines import LINE_BYTES_MAX, LineSplitter

#: An id goes back in a header, so one that no header can carry is none.
ID = re.compile(r"[\x20-\x7e]{0,256}")


@dataclass(frozen=True)
class SentEvent:
    """One event: the last `id` seen, and its lines of data."""

    id: str | None
    data: str


class EventParser:
    """Splits a stream of bytes into events."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._id: str | None = None
        self._data: list[str] = []
        self._length = 0

    def push(self, piece: bytes) -> list[SentEvent]:
        """Takes the next piece and hands out the events that it completes."""
        events = []
        for line in self._lines.push(piece):
            if line:
                self._take(line)
            elif self._data:
                events.append(SentEvent(self._id, "\n".join(self._data)))
                self._data, self._length = [], 0
        return events

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        # `event` is repeated inside the JSON; comments and `retry` are of no use here.
        if field == "id" and ID.fullmatch(value):
            self._id = value
        if field == "data":
            self._data.append(value)
            self._length += len(value) + 1
        if self._length > LINE_BYTES_MAX:
            raise too_large("an event", LINE_BYTES_MAX)
