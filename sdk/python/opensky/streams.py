"""Streams that are read in one thread and may be ended in another."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

from .answer import Answer
from .errors import OpenSkyError

T = TypeVar("T")


class Leash:
    """What a stream hangs on: the answer that it reads now, and whether its caller has let go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._answer: Answer | None = None

    @property
    def is_released(self) -> bool:
        return self._released.is_set()

    def hold(self, answer: Answer) -> Answer:
        """The stream reads this answer from now on."""
        with self._lock:
            self._answer = answer
            if self.is_released:
                answer.close()
        return answer

    def release(self) -> None:
        """Ends the stream, whatever it is doing."""
        with self._lock:
            self._released.set()
            if self._answer is not None:
                self._answer.close()

    def pause(self, seconds: float) -> None:
        """Waits, unless the stream is ended meanwhile."""
        self._released.wait(seconds)


class Stream(Iterator[T]):
    """Values as they come. It ends by itself, by `close` (of any thread), or where its `with` ends."""

    def __init__(self, values: Generator[T, None, None], leash: Leash) -> None:
        self._values = values
        self._leash = leash

    def __next__(self) -> T:
        if self._leash.is_released:
            raise StopIteration
        try:
            return next(self._values)
        except OpenSkyError:
            # Who ends a stream is not told that it broke off.
            if self._leash.is_released:
                raise StopIteration from None
            raise

    def close(self) -> None:
        """Ends the stream. The thread that reads it comes to its end."""
        self._leash.release()
        try:
            self._values.close()
        except ValueError:
            pass  # Another thread is in it, and will leave by itself.

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
