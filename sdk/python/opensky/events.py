"""A job's events, over as many connections as it takes."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from .connection import Connection
from .errors import OpenSkyError
from .lines import parsed
from .sse import EventParser, SentEvent
from .streams import Leash
from .types import JobEvent, StateView

#: Connections in a row that may bring nothing before it is an error.
FRUITLESS_MAX = 5
#: Pause before a connection is made again, in seconds; doubles with each that brought nothing.
PAUSE_S = 0.2
#: A node that has nothing to tell says so every 15 seconds; one that is silent for longer is not there.
IDLE_S = 60.0


def is_final(state: StateView) -> bool:
    """Whether a job in this state stays in it."""
    return state not in ("waiting", "running")


def watch(connection: Connection, job: str, leash: Leash, timeout: float | None) -> Generator[JobEvent, None, None]:
    """What happens to a job until its end. A connection that breaks is made again, after the last event seen."""
    last: str | None = None
    fruitless = 0
    while not leash.is_released:
        fruitless += 1
        try:
            for event in follow(connection, job, last, leash, timeout):
                happened: JobEvent = parsed(event.data)
                last, fruitless = event.id or last, 0
                yield happened
                if happened["event"] == "job" and is_final(happened["state"]):
                    return
        except OpenSkyError as error:
            if not is_passing(error) or fruitless > FRUITLESS_MAX:
                raise
        if fruitless > FRUITLESS_MAX:
            raise OpenSkyError(0, "broken-off", "the job's events end before the job does")
        leash.pause(PAUSE_S * 2 ** max(fruitless - 1, 0))


def follow(
    connection: Connection, job: str, last: str | None, leash: Leash, timeout: float | None
) -> Iterator[SentEvent]:
    """The events of one connection."""
    headers = {} if last is None else {"Last-Event-ID": last}
    answer = connection.open("GET", "/v1/jobs/{job}/events", path={"job": job}, headers=headers, timeout=timeout)
    parser = EventParser()
    for piece in leash.hold(answer).pieces(IDLE_S):
        yield from parser.push(piece)


def is_passing(error: OpenSkyError) -> bool:
    """Whether a later connection may bring what this one did not: the node is starting again, say."""
    passing = error.code in ("unreachable", "broken-off", "timed-out")
    return error.code == "shutting-down" or (error.status == 0 and passing)
