"""One program, run somewhere on the sky, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .connection import Connection
from .content import Content, upload
from .errors import OpenSkyError
from .jobs import job_failed, results, submit, wait
from .types import ConstraintsView, JobRequest, RunView, TaskLimitsView, VerifyView

#: How long cancelling a job that nobody waits for any more may take, in seconds.
CANCEL_S = 5.0


@dataclass(frozen=True)
class ProgramOptions:
    """How a program is run. What is `None` has the node's default."""

    args: Sequence[str] = ()
    env: Mapping[str, str] | None = None
    stdin: Content | None = None
    #: The job's name, for people.
    name: str = "program"
    limits: TaskLimitsView | None = None
    constraints: ConstraintsView | None = None
    verify: VerifyView | None = None
    #: How long to wait for a node that fits, in milliseconds.
    wait_ms: int | None = None
    #: Most that it may cost, in a sky with prices, in micros.
    budget_micros: int | None = None


@dataclass(frozen=True)
class ProgramResult:
    """What a program did, where."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    #: Which node ran it, what it used, its files and its receipt.
    run: RunView
    job: str


def run_program(
    connection: Connection,
    wasm: Content,
    options: ProgramOptions,
    idempotency_key: str | None,
    within: float | None,
    timeout: float | None,
) -> ProgramResult:
    """Runs a WASI program; its exit code is a result like any other. If waiting for it fails, the job is cancelled."""
    request = job_of(connection, wasm, options)
    job = submit(connection, request, idempotency_key, timeout)["job"]
    try:
        ended = wait(connection, job, within, timeout)
    except BaseException:
        cancel(connection, job)
        raise
    if ended["state"] != "succeeded":
        raise job_failed(ended)
    for result in results(connection, job, timeout=timeout):
        if (exit_code := result.run.get("exit_code")) is not None:
            return ProgramResult(exit_code, result.stdout, result.stderr, result.run, job)
    raise OpenSkyError(0, "bad-answer", f"the job {job} has no result")


def job_of(connection: Connection, wasm: Content, options: ProgramOptions) -> JobRequest:
    program = upload(connection, wasm)
    stdin = None if options.stdin is None else upload(connection, options.stdin)
    env = list((options.env or {}).items())
    stage = {
        "name": "program",
        "program": {**program, "level": "vm", "args": list(options.args), "env": env},
        "inputs": without_none({"kind": "one", "stdin": stdin}),
        "limits": options.limits,
        "constraints": options.constraints,
        "verify": options.verify,
        "accept_any_exit": True,
    }
    job = {"name": options.name, "wait_ms": options.wait_ms, "budget_micros": options.budget_micros}
    return cast(JobRequest, without_none({**job, "stages": [without_none(stage)]}))


def without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def cancel(connection: Connection, job: str) -> None:
    """Nobody else knows the job, so nobody else would end it."""
    try:
        connection.ask("POST", "/v1/jobs/{job}/cancel", path={"job": job}, timeout=CANCEL_S)
    except OpenSkyError:
        pass  # What made it necessary is what the caller must know.
