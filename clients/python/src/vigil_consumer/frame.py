"""A frame in the hands of a detector."""
from __future__ import annotations

import re
from types import TracebackType
from typing import TYPE_CHECKING, Any, Mapping, Optional, Type

from .announcement import Announced, Announcement
from .errors import Pause, Requeue, UndecodableError
from .image import decode_image
from .task import Task

if TYPE_CHECKING:
    from .consumer import Consumer

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.{0,400})?")


class Frame(Announced):
    """One frame: what was announced, its picture, and the ways to settle it.

    As a context manager it settles itself: acknowledged at the end of the block; an exception is reported to
    ``on_fault``, decides what happens to the frame, and does not leave the block.
    """

    def __init__(self, consumer: "Consumer", task: Task, data: bytes, ffmpeg: str) -> None:
        self._consumer = consumer
        self._task = task
        self._ffmpeg = ffmpeg
        self.data = data
        """The encoded picture, in :attr:`format`."""

    @property
    def announcement(self) -> Announcement:
        """All that was announced; docs/contract.md explains each value."""
        return self._task.announcement

    @property
    def id(self) -> str:
        """Deterministic: a repeated announcement has the same."""
        return self.announcement.id

    @property
    def format(self) -> str:
        return self.announcement.format

    @property
    def redelivered(self) -> bool:
        """The frame, or another attempt at it, may have been seen before, perhaps by another process."""
        return self._task.message.redelivered

    @property
    def traceparent(self) -> Optional[str]:
        """W3C trace context of the message, to be passed on; None if there is no valid one."""
        value = self._header("traceparent")
        return value if value is not None and _TRACEPARENT.fullmatch(value) else None

    @property
    def trace_context(self) -> Mapping[str, str]:
        """``traceparent`` and ``tracestate`` as a carrier for OpenTelemetry's ``extract``; empty without a valid one."""
        parent, state = self.traceparent, self._header("tracestate")
        if parent is None:
            return {}
        return {"traceparent": parent} if state is None else {"traceparent": parent, "tracestate": state[:512]}

    def image(self, order: str = "bgr") -> Any:
        """The picture as a numpy array of shape (height, width, 3) and type uint8, ``bgr`` or ``rgb``.

        :raises UndecodableError: for a damaged picture: reject the frame
        """
        return decode_image(self.data, self.format, order, self._ffmpeg)

    def ack(self) -> None:
        """The work is done: the picture is removed where ``removal`` says so, and the message acknowledged."""
        self._consumer.processed(self._task)

    def retry(self, cause: Optional[BaseException] = None) -> None:
        """The work failed: the frame is redelivered after a back-off, up to the delivery limit."""
        self._consumer.failed(self._task, cause)

    def reject(self, reason: str) -> None:
        """The frame will never succeed: its message goes to the dead-letter queue with ``reason`` in a header."""
        self._consumer.rejected(self._task, "rejected", reason)

    def requeue(self) -> None:
        """The frame is for another consumer: it returns to the queue, and no failure is counted by this package."""
        self._consumer.returned(self._task)

    def pause(self, cause: BaseException) -> None:
        """Something outside the frame keeps it from being worked on: it comes again here, and all wait until it succeeds."""
        self._consumer.troubled(self._task, cause)

    def put_back(self) -> None:
        """It was not used: it waits here for the next one to take it."""
        self._consumer.put_back(self._task)

    def settle(self, error: Optional[BaseException]) -> None:
        """As a handler's end decides: :meth:`ack` without an exception, else by what it is."""
        if error is None:
            self.ack()
        elif isinstance(error, UndecodableError):
            self._consumer.rejected(self._task, "undecodable", str(error), error)
        elif isinstance(error, Requeue):
            self.requeue()
        elif isinstance(error, Pause):
            self.pause(error)
        else:
            self._consumer.raised(self._task, error)

    def __enter__(self) -> "Frame":
        return self

    def __exit__(
        self, _type: Optional[Type[BaseException]], error: Optional[BaseException], _trace: Optional[TracebackType]
    ) -> bool:
        if error is not None and not isinstance(error, Exception):
            # Ctrl-C, or the end of the program: the broker gives the frame to another consumer.
            return False
        self.settle(error)
        return error is not None

    def _header(self, name: str) -> Optional[str]:
        value = self._task.message.headers.get(name)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if value is None:
            value = (self.announcement.event or {}).get(name)
        return value if isinstance(value, str) else None
