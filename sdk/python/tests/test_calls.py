from __future__ import annotations

import re
import threading
import time

from opensky import Client

from .fake import JOB, TOKEN, Answering, Asked, FakeCase


class Calls(FakeCase):
    def test_a_call_shows_the_token_and_gives_the_answer(self) -> None:
        fake = self.fake(lambda _, answer: answer.json({"name": "fake"}))
        self.assertEqual(fake.client.status(), {"name": "fake"})
        self.assertEqual(fake.asked[0].headers["authorization"], f"Bearer {TOKEN}")
        self.assertEqual(fake.client.address, f"http://{fake.address}")
        self.assertNotIn(TOKEN, repr(fake.client) + repr(vars(fake.client)), "the token is never shown")

    def test_paths_and_queries_are_encoded(self) -> None:
        fake = self.fake(lambda _, answer: answer.json({}))
        fake.client.api.jobs(limit=3)
        fake.client.request("get", "/v1/jobs/{job}", path={"job": "a/../b?c"})
        self.assertEqual([asked.url for asked in fake.asked], ["/v1/jobs?limit=3", "/v1/jobs/a%2F..%2Fb%3Fc"])
        with self.assertRaises(KeyError):
            fake.client.request("GET", "/v1/jobs/{job}")

    def test_an_answer_without_content_is_nothing(self) -> None:
        fake = self.fake(lambda _, answer: answer.begin(204))
        self.assertIsNone(fake.client.request("DELETE", "/v1/jobs/{job}", path={"job": JOB}))

    def test_problems_come_through(self) -> None:
        fake = self.fake(lambda _, answer: answer.problem(404, "job-not-found"))
        error = self.fails("job-not-found", lambda: fake.client.job(JOB), 404)
        self.assertEqual((error.detail, error.next), ("the fake says so", "try something else"))
        self.assertEqual(str(error), "the fake says so (try something else)")

    def test_what_is_no_problem_is_shown_by_its_status_however_long_it_is(self) -> None:
        for body in (b"<html>", b"[]", b"null", b'{"code":1}', b"\xff", b"[" * 50_000, b"x" * 1_000_000):
            fake = self.fake(lambda _, answer: answer.whole(body, 502))
            self.fails("unknown", fake.client.status, 502)

    def test_an_answer_that_is_not_json_is_a_bad_answer(self) -> None:
        self.fails("bad-answer", self.fake(lambda _, answer: answer.whole(b"hello")).client.status)

    def test_a_redirect_is_not_followed(self) -> None:
        other = self.fake(lambda _, answer: answer.json({}))
        fake = self.fake(lambda _, answer: answer.begin(307, {"location": f"http://{other.address}/v1/status"}))
        self.fails("unknown", fake.client.status, 307)
        self.assertEqual(other.asked, [], "the token stays here")

    def test_an_answer_that_never_ends_is_cut(self) -> None:
        def endless(_: Asked, answer: Answering) -> None:
            answer.begin()
            while True:
                answer.write(b" " * 1_048_576)

        client = self.fake(endless).client
        self.fails("too-large", client.status)
        self.fails("too-large", lambda: client.blob("x", bytes_max=3_000_000))

    def test_an_answer_that_breaks_off_is_said(self) -> None:
        def broken(_: Asked, answer: Answering) -> None:
            answer.begin(headers={"content-length": "100"})
            answer.write(b"{")

        self.fails("broken-off", self.fake(broken).client.status)
        self.fails("broken-off", self.fake(lambda *_: None).client.status)

    def test_nobody_there_is_said_with_the_key_of_what_was_asked(self) -> None:
        client = Client("127.0.0.1:1", TOKEN)
        self.fails("unreachable", client.status)
        submit = lambda: client.submit({"name": "x", "stages": []}, idempotency_key="mine")  # noqa: E731
        self.assertEqual(self.fails("unreachable", submit).idempotency_key, "mine")

    def test_a_node_that_does_not_answer_in_time_is_an_error_and_so_is_one_that_drips(self) -> None:
        def slow(asked: Asked, answer: Answering) -> None:
            if asked.url == "/v1/status":
                return answer.wait_for_reader_to_leave()
            answer.begin()
            while True:
                answer.write(b" ")
                time.sleep(0.02)

        client = self.fake(slow).client
        self.fails("timed-out", lambda: client.status(timeout=0.1))
        self.fails("timed-out", lambda: client.api.peers(timeout=0.2))

    def test_a_stream_is_ended_by_its_with_and_by_another_thread(self) -> None:
        def endless(_: Asked, answer: Answering) -> None:
            answer.begin()
            answer.write(b"a")
            answer.wait_for_reader_to_leave()

        client = self.fake(endless).client
        with client.task_log(JOB, "0.0", follow=True) as log:
            self.assertEqual(next(log), b"a")
        self.assertEqual(list(log), [])
        log = client.task_log(JOB, "0.0", follow=True)
        self.assertEqual(next(log), b"a")
        threading.Timer(0.1, log.close).start()
        self.assertEqual(list(log), [])

    def test_what_spends_or_starts_something_has_an_idempotency_key_a_new_one_each_time(self) -> None:
        fake = self.fake(lambda _, answer: answer.json({}))
        client = fake.client
        client.submit({"name": "x", "stages": []})
        client.api.submit({"name": "x", "stages": []})
        client.api.retry_job(JOB, idempotency_key="mine")
        client.api.quote({"name": "x", "stages": []})
        client.status()
        keys = [asked.headers.get("idempotency-key") for asked in fake.asked]
        self.assertTrue(re.fullmatch("[0-9a-f-]{36}", keys[0] or ""))
        self.assertNotEqual(keys[0], keys[1])
        self.assertEqual(keys[2:], ["mine", None, None])

    def test_a_log_comes_as_it_is_written(self) -> None:
        def writing(_: Asked, answer: Answering) -> None:
            answer.begin(headers={"transfer-encoding": "chunked"})
            for piece in (b"4\r\none \r\n", b"3\r\ntwo\r\n", b"0\r\n\r\n"):
                answer.write(piece)
                time.sleep(0.02)

        fake = self.fake(writing)
        self.assertEqual(b"".join(fake.client.task_log(JOB, "0.1", stream="stderr", follow=True)), b"one two")
        self.assertEqual(fake.asked[0].url, f"/v1/jobs/{JOB}/tasks/0.1/log?stream=stderr&follow=true")

    def test_an_address_is_one(self) -> None:
        self.assertEqual(Client("https://sky.example/", "x").address, "https://sky.example")
        for address in ("", "ftp://x", "file:///etc/passwd"):
            with self.assertRaises(ValueError):
                Client(address, "x")
