"""What can go wrong for a consumer: stable codes for programs, one sentence for people."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


class ConsumerError(Exception):
    """A fault with a stable ``code``; its text never contains a password.

    >>> str(ConsumerError("invalid-option", "prefetch: expected 1 to 65535, found 0"))
    'prefetch: expected 1 to 65535, found 0'
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UndecodableError(Exception):
    """The picture will never decode, however often it is tried: its message becomes a dead letter."""


class Pause(Exception):
    """Raise it in a handler that cannot work for a reason outside the frame: consuming pauses, and no frame is blamed."""


class Requeue(Exception):
    """Raise it in a handler to return the frame to the queue at once: no failure is counted by this package."""


@dataclass(frozen=True)
class Fault:
    """One report to ``on_fault``."""

    code: str
    """``redis-unreachable``, ``redis-refused``, ``rabbitmq-unreachable``, ``rabbitmq-refused``, ``queue-missing``,
    ``invalid-message``, ``expired``, ``handler-failed``, ``undecodable``, ``rejected``, ``not-removed``, ``no-ffmpeg``,
    ``paused`` or ``behind``."""
    message: str
    """One sentence for people."""
    count: int = 1
    """Faults of this code since the last report of it, this one included."""
    cause: Optional[BaseException] = None
    """What a handler raised."""


def text_of(error: BaseException) -> str:
    """The text of an exception, or its name where it has none.

    >>> text_of(ValueError("no plate")), text_of(MemoryError())
    ('no plate', 'MemoryError')
    """
    return str(error) or type(error).__name__
