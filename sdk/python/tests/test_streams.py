from __future__ import annotations

import unittest

from opensky import OpenSkyError
from opensky.lines import LINE_BYTES_MAX, LineSplitter, json_lines
from opensky.sse import EventParser, SentEvent

EVENTS = ': hello\r\nid: 1\nevent: job\ndata: {"a":\ndata: 1}\n\n\nid: 2\ndata:schön 🚀\r\n\r\n'.encode()
EXPECTED = [SentEvent("1", '{"a":\n1}'), SentEvent("2", "schön 🚀")]


def pieces(text: bytes, size: int) -> list[bytes]:
    return [text[at : at + size] for at in range(0, len(text), size)]


class Streams(unittest.TestCase):
    def test_events_come_out_whatever_the_pieces(self) -> None:
        splits = [pieces(EVENTS, size) for size in range(1, len(EVENTS) + 1)]
        splits += [[EVENTS[:at], EVENTS[at:]] for at in range(len(EVENTS) + 1)]
        for split in splits:
            parser = EventParser()
            self.assertEqual([event for piece in split for event in parser.push(piece)], EXPECTED, split)

    def test_an_event_without_data_is_none_and_the_id_counts_on(self) -> None:
        self.assertEqual(EventParser().push(b"id: 7\n\ndata\n\n"), [SentEvent("7", "")])

    def test_an_id_that_no_header_can_carry_is_none(self) -> None:
        for id in ("ä", "a\rb", "\0", "x" * 257):
            self.assertEqual(EventParser().push(f"id: {id}\ndata: 1\n\n".encode()), [SentEvent(None, "1")])

    def test_an_endless_line_and_an_endless_event_are_refused(self) -> None:
        splitter, parser = LineSplitter(), EventParser()
        for push, piece in ((splitter.push, b"x" * 65_536), (parser.push, b"data: " + b"x" * 65_536 + b"\n")):
            with self.assertRaises(OpenSkyError) as caught:
                for _ in range(0, LINE_BYTES_MAX + len(piece), len(piece)):
                    push(piece)
            self.assertEqual(caught.exception.code, "too-large")

    def test_lines_of_json_come_out_whatever_the_pieces(self) -> None:
        text = '{"a":"ä"}\n\n{"b":2}\n{"c":3}'.encode()
        for size in range(1, len(text) + 1):
            self.assertEqual(list(json_lines(pieces(text, size))), [{"a": "ä"}, {"b": 2}, {"c": 3}])

    def test_a_line_that_is_not_json_is_a_bad_answer(self) -> None:
        for line in (b"{oops\n", b"[" * 100_000 + b"\n"):
            with self.assertRaises(OpenSkyError) as caught:
                list(json_lines([line]))
            self.assertEqual(caught.exception.code, "bad-answer")
