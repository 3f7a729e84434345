"""The same for asyncio. The consumer runs in threads of its own, so that the event loop may be busy for minutes."""
from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, Optional, Set, Type

from .announcement import Announced, Announcement
from .api import _options
from .consumer import Consumer
from .errors import ConsumerError
from .frame import Frame
from .options import Options
from .servers import Endpoints

_TAKE_S = 0.5


class AsyncFrame(Announced):
    """A :class:`vigil_consumer.Frame` whose methods are awaited; ``async with frame:`` settles it."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        """For all attributes: ``frame.frame.camera`` and so on."""

    @property
    def announcement(self) -> Announcement:
        return self.frame.announcement

    @property
    def data(self) -> bytes:
        """The encoded picture."""
        return self.frame.data

    @property
    def redelivered(self) -> bool:
        return self.frame.redelivered

    @property
    def traceparent(self) -> Optional[str]:
        return self.frame.traceparent

    async def image(self, order: str = "bgr") -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, self.frame.image, order)

    async def ack(self) -> None:
        await self._call(self.frame.ack)

    async def retry(self, cause: Optional[BaseException] = None) -> None:
        await self._call(lambda: self.frame.retry(cause))

    async def reject(self, reason: str) -> None:
        await self._call(lambda: self.frame.reject(reason))

    async def requeue(self) -> None:
        await self._call(self.frame.requeue)

    async def pause(self, cause: BaseException) -> None:
        await self._call(lambda: self.frame.pause(cause))

    async def __aenter__(self) -> "AsyncFrame":
        return self

    async def __aexit__(
        self, _type: Optional[Type[BaseException]], error: Optional[BaseException], _trace: Optional[TracebackType]
    ) -> bool:
        if error is not None and not isinstance(error, Exception):
            # Cancelled: the broker gives the frame to another consumer.
            return False
        await self._call(lambda: self.frame.settle(error))
        return error is not None

    @staticmethod
    async def _call(act: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(None, act)


def frames(endpoints: Endpoints, queue: str = "vigil.detection", **options: Any) -> "AsyncFrames":
    """``async for frame in frames(...)``; options are those of :func:`vigil_consumer.frames`.

    Cancel the task, or leave the loop and ``await aclose()``, to end it: signals are the event loop's.
    """
    return AsyncFrames(_options(endpoints, queue, options), None)


async def consume(
    handler: Callable[[AsyncFrame], Awaitable[None]],
    endpoints: Endpoints,
    queue: str = "vigil.detection",
    *,
    concurrency: int = 1,
    **options: Any,
) -> None:
    """Awaits ``handler`` for up to ``concurrency`` frames at a time, those of one camera in order, until cancelled.

    When cancelled, it takes no more frames and waits for those in hand.
    """
    if not isinstance(concurrency, int) or not 1 <= concurrency <= 1000:
        raise ConsumerError("invalid-option", f"concurrency: expected 1 to 1000, found {concurrency}")
    options.setdefault("ordered", True)
    options["prefetch"] = max(options.get("prefetch", 8), concurrency)
    source = AsyncFrames(_options(endpoints, queue, options), concurrency)
    running: Set["asyncio.Task[None]"] = set()

    async def work(frame: AsyncFrame) -> None:
        async with frame:
            await handler(frame)

    try:
        async for frame in source:
            task = asyncio.ensure_future(work(frame))
            running.add(task)
            task.add_done_callback(running.discard)
    finally:
        if running:
            await asyncio.wait(running)
        await source.aclose()


class AsyncFrames:
    """An asynchronous iterator of frames, and a context manager that closes it."""

    def __init__(self, options: Options, limit: Optional[int]) -> None:
        self._consumer = Consumer(options, limit, is_shared=limit is not None)
        self._thread = ThreadPoolExecutor(1, "vigil frames")

    @property
    def counters(self) -> Dict[str, int]:
        return self._consumer.counters

    def __aiter__(self) -> AsyncIterator[AsyncFrame]:
        return self

    async def __anext__(self) -> AsyncFrame:
        while not self._consumer.is_stopping:
            taken = self._thread.submit(self._consumer.take, _TAKE_S)
            try:
                frame = await asyncio.wrap_future(taken)
            except asyncio.CancelledError:
                # wrap_future() has cancelled it, unless the thread had already begun.
                taken.add_done_callback(_put_back)
                raise
            if frame is not None:
                return AsyncFrame(frame)
        raise StopAsyncIteration

    async def aclose(self, deadline_s: float = 10) -> None:
        """As :meth:`Consumer.close`."""
        loop = asyncio.get_running_loop()
        self._consumer.stop()
        await loop.run_in_executor(None, self._consumer.close, deadline_s)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> "AsyncFrames":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()


def _put_back(taken: "Future[Optional[Frame]]") -> None:
    if taken.cancelled() or taken.exception() is not None:
        return
    frame = taken.result()
    if frame is not None:
        frame.put_back()
