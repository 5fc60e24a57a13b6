from __future__ import annotations

from typing import Any

from opensky.types import InputsRequest, JobRequest

from .fake import JOB, Answering, Asked, Fake, FakeCase

ENDED = 'data: {"event":"job","state":"%s","at":5,"reason":""}\n\n'


def run(task: str, is_large: bool = False) -> dict[str, Any]:
    """A run of task `STAGE.INDEX` that wrote its own name, too long to come along if `is_large`."""
    written = {"hash": task, "size_bytes": 3, **({} if is_large else {"text": task})}
    nothing = {"hash": "", "size_bytes": 0, "text": ""}
    return {"task": task, "exit_code": 4, "stdout": written, "stderr": nothing, "files": []}


def job_of(inputs: InputsRequest) -> JobRequest:
    return {"name": "x", "stages": [{"name": "s", "program": {"hash": "p", "size_bytes": 1}, "inputs": inputs}]}


class Jobs(FakeCase):
    def test_results_come_in_order_over_all_pages_with_what_is_not_in_the_run_fetched(self) -> None:
        def serve(asked: Asked, answer: Answering) -> None:
            if asked.url.startswith("/v1/blobs/"):
                return answer.whole(asked.url[-3:].encode())
            if "/runs" not in asked.url:
                return answer.json({"stages": [{"is_last": False}, {"is_last": True}]})
            if "after=more" in asked.url:
                return answer.json({"runs": [run("1.0"), run("1.2", True)]})
            answer.json({"runs": [run("1.3"), run("1.1", True)], "next": "more"})

        fake = self.fake(serve)
        found = [result.run["task"] for result in fake.client.results(JOB, stage=1, bytes_max=4 * (512 + 3))]
        self.assertEqual(found, ["1.0", "1.1", "1.2", "1.3"])
        self.assertEqual([result.stdout for result in fake.client.results(JOB)][1], b"1.1")
        self.assertEqual(fake.asked[0].url, f"/v1/jobs/{JOB}/runs?state=accepted&stage=1&limit=1000")
        self.fails("too-large", lambda: fake.client.results(JOB, stage=1, bytes_max=4 * (512 + 3) - 1))

    def test_long_lists_go_up_before_their_job(self) -> None:
        def serve(asked: Asked, answer: Answering) -> None:
            is_blob = asked.url == "/v1/blobs"
            answer.json({"hash": "list", "size_bytes": len(asked.body)} if is_blob else {"job": JOB, "tasks": 1})

        fake = self.fake(serve)
        cuts = list(range(1_001))
        fake.client.submit(job_of({"kind": "slices", "blob": {"hash": "b", "size_bytes": 1_000}, "cuts": cuts}))
        self.assertEqual(fake.asked[0].json, cuts)
        inputs = fake.asked[1].json["stages"][0]["inputs"]
        self.assertEqual(inputs["cuts"], {"hash": "list", "size_bytes": len(fake.asked[0].body)})
        self.assertEqual(inputs["blob"], {"hash": "b", "size_bytes": 1_000})
        fake.client.submit(job_of({"kind": "blobs", "blobs": []}))
        self.assertEqual(len(fake.asked), 3, "a short list is in the job")

    def running(self, state: str) -> Fake:
        """A node on which every program exits with 4, unless `state` says that its job went otherwise."""

        def serve(asked: Asked, answer: Answering) -> None:
            if asked.url == "/v1/blobs":
                answer.json({"hash": "b", "size_bytes": len(asked.body)})
            elif asked.method == "POST":
                answer.json({"job": JOB, "tasks": 1})
            elif asked.url.endswith("/events"):
                answer.begin()
                answer.write((ENDED % state).encode())
                if state == "running":
                    answer.wait_for_reader_to_leave()
            elif "/runs" in asked.url:
                answer.json({"runs": [run("0.0")]})
            else:
                answer.json({"job": JOB, "state": state, "reason": "so it went", "stages": [{"is_last": True}]})

        return self.fake(serve)

    def test_a_program_is_run_in_one_call(self) -> None:
        fake = self.running("succeeded")
        result = fake.client.run_program(
            b"\0", ["a"], env={"B": "c"}, stdin="in", limits={"wall_ms": 5}, idempotency_key="mine"
        )
        self.assertEqual((result.exit_code, result.stdout, result.stderr, result.job), (4, b"0.0", b"", JOB))
        submitted = next(asked for asked in fake.asked if asked.url == "/v1/jobs")
        self.assertEqual(submitted.headers["idempotency-key"], "mine")
        program = {"hash": "b", "size_bytes": 1, "level": "vm", "args": ["a"], "env": [["B", "c"]]}
        stage = {
            "name": "program",
            "program": program,
            "inputs": {"kind": "one", "stdin": {"hash": "b", "size_bytes": 2}},
            "limits": {"wall_ms": 5},
            "accept_any_exit": True,
        }
        self.assertEqual(submitted.json, {"name": "program", "stages": [stage]})

    def test_a_program_whose_job_fails_is_an_error_that_says_why(self) -> None:
        error = self.fails("job-failed", lambda: self.running("failed").client.run_program(b"wasm"))
        self.assertEqual(error.detail, f"the job {JOB} is failed: so it went")
        self.assertEqual(error.next, f"opensky why {JOB}")

    def test_a_program_that_nobody_waits_for_any_more_is_cancelled(self) -> None:
        fake = self.running("running")
        self.fails("timed-out", lambda: fake.client.run_program(b"wasm", within=0.2))
        self.assertEqual(fake.asked[-1].url, f"/v1/jobs/{JOB}/cancel")

    def test_runs_are_listed_as_they_are_asked_for(self) -> None:
        fake = self.fake(lambda _, answer: answer.json({"runs": [run("0.1")]}))
        self.assertEqual([run["task"] for run in fake.client.runs(JOB, task="0.1", state="failed")], ["0.1"])
        self.assertEqual(fake.asked[0].url, f"/v1/jobs/{JOB}/runs?state=failed&task=0.1&limit=1000")
