from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .fake import Answering, Asked, Fake, FakeCase

LARGE = b"sky" * 1_000_000


class Contents(FakeCase):
    def storing(self) -> Fake:
        return self.fake(lambda asked, answer: answer.json({"hash": "h", "size_bytes": len(asked.body)}, 201))

    def test_content_goes_up_as_bytes_text_path_file_and_iterable(self) -> None:
        fake = self.storing()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "large"
            path.write_bytes(LARGE)
            blob = {"hash": "h", "size_bytes": len(LARGE)}
            pieces = (LARGE[at : at + 500_000] for at in range(0, len(LARGE), 500_000))
            for content in (LARGE, path, io.BytesIO(LARGE), pieces):
                self.assertEqual(fake.client.upload(content), blob)
        self.assertTrue(all(asked.body == LARGE for asked in fake.asked))
        self.assertEqual([asked.headers.get("content-length") for asked in fake.asked[:2]], [str(len(LARGE))] * 2)
        self.assertEqual(fake.client.upload("ä"), {"hash": "h", "size_bytes": 2})

    def test_a_source_that_fails_is_the_error(self) -> None:
        def failing() -> Iterator[bytes]:
            yield LARGE
            raise OSError("the disk is gone")

        with self.assertRaisesRegex(OSError, "the disk is gone"):
            self.storing().client.upload(failing())
        with self.assertRaises(FileNotFoundError):
            self.storing().client.upload(Path("/nowhere/at/all"))

    def test_who_refuses_a_long_upload_is_heard(self) -> None:
        def refuse(_: Asked, answer: Answering) -> None:
            answer.problem(401, "unauthorized")

        self.fails("unauthorized", lambda: self.fake(refuse, reads_body=False).client.upload(LARGE * 10), 401)

    def test_an_answer_about_other_content_is_refused(self) -> None:
        fake = self.fake(lambda _, answer: answer.json({"hash": "h", "size_bytes": 1}))
        self.fails("bad-answer", lambda: fake.client.upload("abc"))

    def test_what_a_run_wrote_comes_from_the_run_or_from_its_blob(self) -> None:
        fake = self.fake(lambda _, answer: answer.whole(LARGE))
        client = fake.client
        self.assertEqual(client.content({"hash": "h", "size_bytes": 3, "text": "sky"}), b"sky")
        self.assertEqual(client.content({"hash": "h", "size_bytes": 2, "hex": "00ff"}), b"\0\xff")
        self.assertEqual(fake.asked, [])
        self.assertEqual(client.content({"hash": "h", "size_bytes": len(LARGE)}), LARGE)
        with client.blob_pieces("h") as pieces:
            self.assertEqual(b"".join(pieces), LARGE)

    def test_content_that_is_not_as_its_run_says_or_too_much_is_refused(self) -> None:
        client = self.fake(lambda _, answer: answer.whole(b"abc")).client
        self.fails("bad-answer", lambda: client.content({"hash": "h", "size_bytes": 2, "hex": "0g"}))
        self.fails("bad-answer", lambda: client.content({"hash": "h", "size_bytes": 4}))
        self.fails("too-large", lambda: client.content({"hash": "h", "size_bytes": 10}, bytes_max=9))
        self.fails("too-large", lambda: client.content({"hash": "h", "size_bytes": 2}, bytes_max=2))
