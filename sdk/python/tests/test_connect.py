from __future__ import annotations

import os
import tempfile
from pathlib import Path
from unittest import mock

from opensky import connect, data_dir_default

from .fake import FakeCase

VARIABLES = ("OPENSKY_DATA_DIR", "XDG_DATA_HOME", "OPENSKY_API_ADDRESS", "OPENSKY_API_TOKEN")


class Connecting(FakeCase):
    def setUp(self) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        environment = mock.patch.dict(os.environ, kept, clear=True)
        environment.start()
        self.addCleanup(environment.stop)

    def folder_of(self, running: str) -> Path:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name)
        (path / "run").mkdir()
        (path / "run/node.json").write_text(running)
        (path / "run/api.token").write_text("secret\n")
        return path

    def test_the_data_folder_is_found_as_the_commands_find_it(self) -> None:
        self.assertEqual(data_dir_default(), Path.home() / ".local/share/opensky")
        os.environ["XDG_DATA_HOME"] = "/data"
        self.assertEqual(data_dir_default(), Path("/data/opensky"))
        os.environ["OPENSKY_DATA_DIR"] = "/mine"
        self.assertEqual(data_dir_default(), Path("/mine"))

    def test_a_node_is_found_by_its_folder_and_by_the_environment(self) -> None:
        folder = self.folder_of('{"pid": 1, "api": "127.0.0.1:4720"}')
        self.assertEqual(connect(folder).address, "http://127.0.0.1:4720")
        os.environ["OPENSKY_DATA_DIR"] = str(folder)
        self.assertEqual(connect().address, "http://127.0.0.1:4720")
        os.environ["OPENSKY_API_ADDRESS"] = "127.0.0.1:9"
        self.assertEqual(connect().address, "http://127.0.0.1:4720", "an address without a token is of no use")
        os.environ["OPENSKY_API_TOKEN"] = "key"
        self.assertEqual(connect().address, "http://127.0.0.1:9")
        self.assertEqual(connect(folder).address, "http://127.0.0.1:4720", "a folder that is named counts")

    def test_without_a_node_the_error_says_so(self) -> None:
        error = self.fails("not-running", lambda: connect("/nowhere"))
        self.assertEqual(error.next, "start one with `opensky up`")
        for running in ("", "{}", "[]", "null", '{"api": 1}'):
            folder = self.folder_of(running)
            self.fails("bad-answer", lambda: connect(folder))
