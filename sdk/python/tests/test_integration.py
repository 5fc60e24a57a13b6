"""The client against a real node, whose binary OPENSKY_BIN names."""

from __future__ import annotations

import unittest
from typing import ClassVar

from opensky import Client
from opensky.types import JobRequest, StageRequest

from .fake import FakeCase
from .node import BINARY, HERE, PROGRAMS, Node

NOBODY = "0000000000000000"


@unittest.skipUnless(BINARY, "OPENSKY_BIN names no binary")
class RealNode(FakeCase):
    node: ClassVar[Node]
    client: ClassVar[Client]

    @classmethod
    def setUpClass(cls) -> None:
        cls.node = Node()
        cls.addClassCleanup(cls.node.stop)
        cls.client = cls.node.client()

    def test_runs_a_program(self) -> None:
        result = self.client.run_program(PROGRAMS / "hello.wasm", ["sky"], stdin="four", within=120)
        self.assertEqual(result.exit_code, 0)
        self.assertIn(b"argument 1: sky\nstandard input: 4 bytes", result.stdout)

    def test_streams_a_jobs_progress_then_has_its_results_and_logs(self) -> None:
        program = self.client.upload(PROGRAMS / "square.wasm")
        squares: StageRequest = {
            "name": "squares",
            "program": {"hash": program["hash"], "size_bytes": program["size_bytes"], "args": ["{item}"]},
            "inputs": {"kind": "numbers", "from": 0, "to": 10, "step": 1},
        }
        request: JobRequest = {"name": "squares", "stages": [squares], "wait_ms": 30_000}
        submitted = self.client.submit(request)
        self.assertEqual(submitted["tasks"], 10)
        job = submitted["job"]
        with self.client.watch(job) as stream:
            events = list(stream)
        self.assertIn("progress", [event["event"] for event in events])
        last = events[-1]
        self.assertTrue(last["event"] == "job" and last["state"] == "succeeded", last)
        numbers = [int(result.stdout) for result in self.client.results(job)]
        self.assertEqual(numbers, [number * number for number in range(10)])
        with self.client.task_log(job, "0.3", follow=True) as log:
            self.assertEqual(b"".join(log).strip(), b"9")

    def test_does_once_what_is_asked_twice_with_one_key(self) -> None:
        jobs = {
            self.client.run_program(PROGRAMS / "hello.wasm", ["once"], idempotency_key="twice", within=120).job
            for _ in range(2)
        }
        self.assertEqual(len(jobs), 1)

    def test_says_what_is_wrong(self) -> None:
        self.fails("job-not-found", lambda: self.client.job(NOBODY), 404)
        self.fails("job-not-found", lambda: list(self.client.watch(NOBODY)), 404)
        self.fails("service-not-found", lambda: self.client.services.show("nothing"), 404)
        self.fails("service-not-found", lambda: list(self.client.services.logs("nothing")), 404)
        self.assertEqual(self.client.services.list(), [])

    def test_runs_the_examples(self) -> None:
        hello = self.node.example("hello", PROGRAMS / "hello.wasm", "reader")
        self.assertIn("argument 1: reader", hello.stdout, hello.stderr)
        counted = self.node.example("word_count", PROGRAMS / "wordcount.wasm", HERE / "README.md")
        self.assertRegex(counted.stdout, r"(?m)^the\t\d+$", counted.stderr)
        self.assertIn("service-not-found", self.node.example("follow_service", "nothing").stderr)
