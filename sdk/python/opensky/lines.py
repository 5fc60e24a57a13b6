"""Bytes in, lines out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import bad_answer, too_large

#: Longest line that is kept, in bytes.
LINE_BYTES_MAX = 1024 * 1024


class LineSplitter:
    """Splits a stream of bytes into lines, whatever its pieces are."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def push(self, piece: bytes) -> list[str]:
        """Takes the next piece and hands out the lines that it completes."""
        *lines, rest = piece.split(b"\n")
        if lines:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += rest
        if max(len(self._rest), *map(len, lines), 0) > LINE_BYTES_MAX:
            raise too_large("a line", LINE_BYTES_MAX)
        return [line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines]

    def end(self) -> str:
        """What came after the last line's end."""
        return self._rest.decode("utf-8", "replace")


def json_lines(pieces: Iterable[bytes]) -> Iterator[Any]:
    """A value per line of JSON."""
    splitter = LineSplitter()
    for piece in pieces:
        for line in splitter.push(piece):
            if line:
                yield parsed(line)
    if last := splitter.end():
        yield parsed(last)


def parsed(text: str) -> Any:
    """A part of a stream as JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise bad_answer("a part of the stream is not JSON") from None
