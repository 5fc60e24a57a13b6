"""Finding the node on this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .client import Client
from .errors import OpenSkyError, bad_answer

#: Where a running node says of itself where its API is, and what its token is.
NODE_FILE = "run/node.json"
TOKEN_FILE = "run/api.token"


def data_dir_default() -> Path:
    """The data folder used when none is named: `$OPENSKY_DATA_DIR`, else `$XDG_DATA_HOME/opensky`, else
    `~/.local/share/opensky`."""
    if own := os.environ.get("OPENSKY_DATA_DIR"):
        return Path(own)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local/share") / "opensky"


def connect(data_dir: str | os.PathLike[str] | None = None) -> Client:
    """A client of the node with this data folder. Without one, by the environment: `OPENSKY_API_ADDRESS` with
    `OPENSKY_API_TOKEN`, else the default data folder."""
    address, token = os.environ.get("OPENSKY_API_ADDRESS"), os.environ.get("OPENSKY_API_TOKEN")
    if data_dir is None and address and token:
        return Client(address, token)
    folder = data_dir_default() if data_dir is None else Path(data_dir)
    return Client(address_in(read(folder, NODE_FILE)), read(folder, TOKEN_FILE))


def read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        next = "start one with `opensky up`"
        raise OpenSkyError(0, "not-running", f"no node is running for {folder}", next) from error


def address_in(running: str) -> str:
    try:
        match json.loads(running):
            case {"api": str(address)}:
                return address
    except ValueError:
        pass  # Told below like any other content that is not expected.
    raise bad_answer(f"{NODE_FILE} does not say where the API is")
