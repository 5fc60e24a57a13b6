"""Why a call failed."""

from __future__ import annotations


class OpenSkyError(Exception):
    """The one class of errors of this client.

    `status` is the HTTP status, or 0 where no whole answer came. `code` is the node's (docs/problems.md), or one that
    only the client can find: `not-running`, `unreachable`, `broken-off`, `bad-answer`, `job-failed`.
    """

    def __init__(self, status: int, code: str, detail: str, next: str | None = None) -> None:
        super().__init__(f"{detail} ({next})" if next else detail)
        self.status = status
        self.code = code
        #: What happened and why, this time.
        self.detail = detail
        #: What to do next, where there is something.
        self.next = next
        #: The key of the request that failed: asked again with it, the node does at most once what was asked.
        self.idempotency_key: str | None = None


def bad_answer(what: str) -> OpenSkyError:
    """The answer is not what this version expects."""
    return OpenSkyError(0, "bad-answer", f"the node's answer cannot be read: {what}")


def timed_out() -> OpenSkyError:
    """There was no answer, or no more of one, in time."""
    return OpenSkyError(0, "timed-out", "the node did not answer in time")


def too_large(what: str, bytes_max: int, next: str | None = None) -> OpenSkyError:
    """More came than the caller is ready to hold."""
    return OpenSkyError(0, "too-large", f"{what} is longer than {bytes_max} bytes", next)
