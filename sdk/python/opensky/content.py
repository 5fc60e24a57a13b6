"""Content: up and down."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import IO, Union, cast

from .connection import Body, Connection
from .errors import bad_answer, too_large
from .streams import Leash
from .types import BlobRef, ContentView

#: How long an upload may take, in seconds. The node ends those that stand still long before.
UPLOAD_S = 3_600.0
#: Most that is fetched into memory unless the caller says otherwise.
BYTES_MAX = 256 * 1024 * 1024
#: How long content may stand still on its way here, in seconds.
IDLE_S = 60.0

#: What can be uploaded. Text goes as UTF-8; a `Path` names a file; files and iterables are never held whole.
Content = Union[str, bytes, Path, IO[bytes], Iterable[bytes]]


def upload(connection: Connection, content: Content, timeout: float | None = None) -> BlobRef:
    """Uploads content; from then on its hash names it."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            return send(connection, file, os.fstat(file.fileno()).st_size, timeout)
    if isinstance(content, str):
        content = content.encode()
    return send(connection, content, len(content) if isinstance(content, bytes) else None, timeout)


def send(connection: Connection, body: Body, size: int | None, timeout: float | None) -> BlobRef:
    headers = {"Content-Type": "application/octet-stream"}
    if size is not None:
        headers["Content-Length"] = str(size)
    answer = connection.ask("POST", "/v1/blobs", body=body, headers=headers, timeout=timeout or UPLOAD_S)
    blob = cast(BlobRef, answer)
    if size is not None and blob["size_bytes"] != size:
        raise bad_answer("it is about content of another size")
    return blob


def blob_pieces(connection: Connection, hash: str, leash: Leash, timeout: float | None) -> Generator[bytes, None, None]:
    """The bytes of a blob, as they come."""
    answer = connection.open("GET", "/v1/blobs/{hash}", path={"hash": hash}, timeout=timeout)
    yield from leash.hold(answer).pieces(IDLE_S)


def blob(connection: Connection, hash: str, bytes_max: int = BYTES_MAX, timeout: float | None = None) -> bytes:
    """A blob in memory."""
    answer = connection.open("GET", "/v1/blobs/{hash}", path={"hash": hash}, timeout=timeout)
    return answer.whole(bytes_max, IDLE_S)


def content(
    connection: Connection, view: ContentView, bytes_max: int = BYTES_MAX, timeout: float | None = None
) -> bytes:
    """What a run wrote, in memory."""
    text, in_hex = view.get("text"), view.get("hex")
    if text is not None:
        return text.encode()
    if in_hex is not None:
        try:
            return bytes.fromhex(in_hex)
        except ValueError:
            raise bad_answer("it holds wrong hex") from None
    if view["size_bytes"] > bytes_max:
        raise too_large("what a run wrote", bytes_max, "read it with blob_pieces")
    found = blob(connection, view["hash"], bytes_max, timeout)
    if len(found) != view["size_bytes"]:
        raise bad_answer("a blob has another size than its run says")
    return found
