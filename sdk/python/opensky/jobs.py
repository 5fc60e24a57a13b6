"""Jobs: submit, wait, fetch."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

from .connection import Connection
from .content import BYTES_MAX, content, upload
from .errors import OpenSkyError, timed_out, too_large
from .events import is_final, watch
from .streams import Leash, Stream
from .types import ContentView, JobDetail, JobRequest, Runs, RunView, StageRequest, StreamView, Submitted, VerdictView

#: Lists longer than this travel as blobs beside the job.
INLINE_LIST_LENGTH_MAX = 1_000
#: Runs asked for at a time.
PAGE_LENGTH = 1_000
#: Outputs fetched at a time.
FETCHES_MAX = 8
#: What a run counts for beside its outputs, so that a list of empty ones has an end too.
RUN_BYTES = 512


def submit(connection: Connection, job: JobRequest, idempotency_key: str | None, timeout: float | None) -> Submitted:
    """Submits a job whose content is uploaded already. Long lists are uploaded on the way."""
    stages = [without_long_lists(connection, stage) for stage in job["stages"]]
    request = {**job, "stages": stages}
    answer = connection.ask("POST", "/v1/jobs", json=request, idempotency_key=idempotency_key, timeout=timeout)
    return cast(Submitted, answer)


def without_long_lists(connection: Connection, stage: StageRequest) -> dict[str, Any]:
    inputs = dict(stage["inputs"])
    for key in ("blobs", "cuts"):
        found = inputs.get(key)
        if isinstance(found, list) and len(found) > INLINE_LIST_LENGTH_MAX:
            inputs[key] = upload(connection, json.dumps(found))
    return {**stage, "inputs": inputs}


def detail(connection: Connection, job: str, timeout: float | None = None) -> JobDetail:
    """A job in full."""
    return cast(JobDetail, connection.ask("GET", "/v1/jobs/{job}", path={"job": job}, timeout=timeout))


def wait(connection: Connection, job: str, within: float | None, timeout: float | None) -> JobDetail:
    """Waits for a job's end, however it ends, for `within` seconds at most."""
    leash = Leash()
    timer = None if within is None else threading.Timer(within, leash.release)
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        with Stream(watch(connection, job, leash, timeout), leash) as events:
            has_ended = any(event["event"] == "job" and is_final(event["state"]) for event in events)
    finally:
        if timer is not None:
            timer.cancel()
    if not has_ended:
        raise timed_out()
    return detail(connection, job, timeout)


def runs(
    connection: Connection,
    job: str,
    *,
    state: VerdictView | None = None,
    stage: int | None = None,
    task: str | None = None,
    timeout: float | None = None,
) -> Iterator[RunView]:
    """Runs of a job in the order they were judged, a page at a time."""
    query: dict[str, object] = {"state": state, "stage": stage, "task": task, "limit": PAGE_LENGTH}
    while True:
        page: Runs = connection.ask("GET", "/v1/jobs/{job}/runs", path={"job": job}, query=query, timeout=timeout)
        yield from page["runs"]
        query["after"] = page.get("next")
        if query["after"] is None:
            return


@dataclass(frozen=True)
class Result:
    """The accepted run of one task with what it wrote. Its files are read with `Client.content`."""

    run: RunView
    stdout: bytes
    stderr: bytes


def results(
    connection: Connection,
    job: str,
    stage: int | None = None,
    bytes_max: int = BYTES_MAX,
    timeout: float | None = None,
) -> list[Result]:
    """The accepted results of a job's last stages, or of one stage, in order of task."""
    wanted = last_stages(connection, job, timeout) if stage is None else [stage]
    found: list[RunView] = []
    size = 0
    for each in wanted:
        for run in runs(connection, job, state="accepted", stage=each, timeout=timeout):
            size += RUN_BYTES + weight(run["stdout"]) + weight(run["stderr"])
            if size > bytes_max:
                raise too_large("all results together", bytes_max, "read them one by one: runs and content")
            found.append(run)
    found.sort(key=lambda run: [int(part) for part in run["task"].split(".")])

    def fetch(run: RunView) -> Result:
        stdout, stderr = (content(connection, run[key], bytes_max, timeout) for key in ("stdout", "stderr"))
        return Result(run, stdout, stderr)

    with ThreadPoolExecutor(FETCHES_MAX) as fetchers:
        return list(fetchers.map(fetch, found))


def weight(view: ContentView) -> int:
    """The size of what a run wrote, or of what came along if that is more than was said."""
    return max(view["size_bytes"], len(view.get("text") or ""), len(view.get("hex") or ""))


def last_stages(connection: Connection, job: str, timeout: float | None) -> list[int]:
    stages = detail(connection, job, timeout)["stages"]
    return [position for position, stage in enumerate(stages) if stage["is_last"]]


def task_log(
    connection: Connection,
    job: str,
    task: str,
    leash: Leash,
    *,
    stream: StreamView | None,
    follow: bool,
    timeout: float | None,
) -> Generator[bytes, None, None]:
    """What a task writes, as it comes."""
    route = "/v1/jobs/{job}/tasks/{task}/log"
    query = {"stream": stream, "follow": follow}
    answer = connection.open("GET", route, path={"job": job, "task": task}, query=query, timeout=timeout)
    # A task may be silent for as long as it runs.
    yield from leash.hold(answer).pieces()


def job_failed(job: JobDetail) -> OpenSkyError:
    """An error for a job that did not succeed."""
    why = f": {job['reason']}" if job["reason"] else ""
    return OpenSkyError(0, "job-failed", f"the job {job['job']} is {job['state']}{why}", f"opensky why {job['job']}")
