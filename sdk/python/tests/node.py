"""A real node for tests, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from opensky import Client, OpenSkyError, connect

HERE = Path(__file__).resolve().parent.parent
PROGRAMS = HERE / "../../examples/programs"
BINARY = os.environ.get("OPENSKY_BIN")

#: Time between two looks, in seconds, and looks before a node counts as not starting: a minute, since test machines
#: are slow.
LOOK_S = 0.05
LOOKS_MAX = 1_200


class Node:
    """Runs until it is stopped."""

    def __init__(self) -> None:
        assert BINARY, "OPENSKY_BIN names no binary"
        self._folder = tempfile.TemporaryDirectory(prefix="opensky-")
        settings = ["--loopback-only", "--listen", "0", "--api", "127.0.0.1:0"]
        command = [BINARY, "up", "--unencrypted-key", "--data-dir", self._folder.name, *settings]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)

    def client(self) -> Client:
        """A client, once the node answers."""
        for _ in range(LOOKS_MAX):
            try:
                client = connect(self._folder.name)
                client.status()
                return client
            except OpenSkyError:
                time.sleep(LOOK_S)
        raise AssertionError("the node does not start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def example(self, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Runs an example as its reader would."""
        env = {**os.environ, "OPENSKY_DATA_DIR": self._folder.name, "PYTHONPATH": str(HERE)}
        command = [sys.executable, str(HERE / "examples" / f"{name}.py"), *map(str, arguments)]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
