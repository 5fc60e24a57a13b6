from __future__ import annotations

import threading

from opensky import Client

from .fake import JOB, Answering, Asked, Fake, FakeCase

PROGRESS = b'id: 1\nevent: progress\ndata: {"event":"progress","stages":[]}\n\n'
END = b'id: 2\nevent: job\ndata: {"event":"job","state":"succeeded","at":5,"reason":""}\n\n'


def kinds(client: Client) -> list[str]:
    with client.watch(JOB) as events:
        return [event["event"] for event in events]


class Events(FakeCase):
    def turns(self, *turns: bytes | str) -> Fake:
        """A fake whose connections each bring one of these; text is the code of a problem."""

        def serve(_: Asked, answer: Answering) -> None:
            turn = turns[min(len(fake.asked), len(turns)) - 1]
            if isinstance(turn, str):
                return answer.problem(503 if turn == "shutting-down" else 404, turn)
            answer.begin()
            answer.write(turn)

        fake = self.fake(serve)
        return fake

    def test_events_go_on_after_a_broken_connection(self) -> None:
        fake = self.turns(PROGRESS + b'id: 2\ndata: {"event":', END)
        self.assertEqual(kinds(fake.client), ["progress", "job"])
        self.assertEqual([asked.headers.get("last-event-id") for asked in fake.asked], [None, "1"])

    def test_a_node_that_is_closing_is_come_back_to(self) -> None:
        fake = self.turns(PROGRESS, "shutting-down", END)
        self.assertEqual(kinds(fake.client), ["progress", "job"])
        self.assertEqual(len(fake.asked), 3)

    def test_nothing_is_read_after_the_end(self) -> None:
        self.assertEqual(kinds(self.turns(END + PROGRESS).client), ["job"])

    def test_what_no_later_connection_can_mend_is_an_error_at_once(self) -> None:
        long = b"data: " + b"x" * 3_000_000
        for turn, code, status in (
            ("job-not-found",) * 2 + (404,),
            (b"data: hello\n\n", "bad-answer", 0),
            (long, "too-large", 0),
        ):
            fake = self.turns(turn)
            self.fails(code, lambda: kinds(fake.client), status)
            self.assertEqual(len(fake.asked), 1)

    def test_the_pause_between_connections_can_be_ended(self) -> None:
        events = Client("127.0.0.1:1", "").watch(JOB)
        threading.Timer(0.5, events.close).start()
        self.assertEqual(list(events), [])

    def test_waiting_ends_with_the_job_or_with_its_time(self) -> None:
        def serve(asked: Asked, answer: Answering) -> None:
            if not asked.url.endswith("/events"):
                return answer.json({"job": JOB, "state": "succeeded"})
            answer.begin()
            answer.write(PROGRESS)
            if JOB in asked.url:
                answer.write(END)
            else:
                answer.wait_for_reader_to_leave()

        client = self.fake(serve).client
        self.assertEqual(client.wait(JOB, within=10)["state"], "succeeded")
        self.fails("timed-out", lambda: client.wait("another", within=0.2))
