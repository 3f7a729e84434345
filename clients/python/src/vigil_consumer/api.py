"""The two ways to consume: a loop over frames, and a handler that several threads call."""
from __future__ import annotations

import signal
import threading
from contextlib import ExitStack
from types import FrameType
from typing import Any, Callable, Iterator, List, Optional

from .consumer import Consumer
from .errors import ConsumerError
from .frame import Frame
from .options import Options
from .servers import Endpoints

Handler = Callable[[Frame], None]


def frames(endpoints: Endpoints, queue: str = "vigil.detection", *, stop_on_signals: bool = True, **options: Any) -> Iterator[Frame]:
    """Yields frames until the program is told to end (SIGTERM or Ctrl-C, after the frame in hand) or the loop is left.

    Settle each frame: ``ack()``, ``retry()`` or ``reject(reason)``, or ``with frame:`` around the work.

    :param endpoints: path of endpoints.json, its content, or a function that returns it
    :param removal: ``after``: the picture is removed by ``ack()`` (at least once); ``getdel``: as it is fetched (at most
        once); ``keep``: it expires, for several services
    :param prefetch: frames that are in hand or on their way, 1 to 65535; 8 by default
    :param latest_only: of each camera only its newest frame, cameras in turn; skipped frames are acknowledged and counted
    :param ordered: one frame of each camera in hand at a time; only for loops in several threads
    :param delivery_limit: redeliveries after which a failing frame becomes a dead letter with its reason; as the queue's
    :param ca_file: certificates to trust beside the system's, for TLS
    :param on_fault: called with each :class:`Fault`, at most once a second for each code; by default they are logged
    :param on_consuming: called when consuming begins or resumes
    :param on_event: called with each CloudEvent of a queue that is not about a frame, a camera's state or a gap
    :param on_settled: called with a :class:`Settled` for each finished frame, for metrics
    :raises ConsumerError: ``invalid-option`` at once; ``unsettled`` when a loop settles none of its frames

    >>> frames({"amqp": "amqp://127.0.0.1/", "redis": "redis://127.0.0.1/"}, queue="")
    Traceback (most recent call last):
    ...
    vigil_consumer.errors.ConsumerError: queue: expected a name, found none
    """
    return _frames(_options(endpoints, queue, options), stop_on_signals)


def consume(
    handler: Handler,
    endpoints: Endpoints,
    queue: str = "vigil.detection",
    *,
    concurrency: int = 1,
    stop_on_signals: bool = True,
    **options: Any,
) -> None:
    """Calls ``handler`` for each frame in ``concurrency`` threads, until SIGTERM or Ctrl-C; frames of one camera in order.

    A handler that returns acknowledges its frame; what it raises decides as in :meth:`Frame.settle`. Options are those of
    :func:`frames`; ``ordered`` is true by default.
    """
    if not isinstance(concurrency, int) or not 1 <= concurrency <= 1000:
        raise ConsumerError("invalid-option", f"concurrency: expected 1 to 1000, found {concurrency}")
    options.setdefault("ordered", True)
    options["prefetch"] = max(options.get("prefetch", 8), concurrency)
    with ExitStack() as stack:
        consumer = stack.enter_context(Consumer(_options(endpoints, queue, options), concurrency, is_shared=True))
        if stop_on_signals:
            stack.enter_context(StopOnSignals(consumer))
        threads = [threading.Thread(target=_work, args=(consumer, handler), daemon=True) for _ in range(concurrency)]
        for thread in threads:
            thread.start()
        for thread in threads:
            # Signals are handled between two calls of join().
            while thread.is_alive() and not consumer.is_stopping:
                thread.join(0.2)


def _work(consumer: Consumer, handler: Handler) -> None:
    for frame in consumer:
        with frame:
            handler(frame)


def _frames(options: Options, stop_on_signals: bool) -> Iterator[Frame]:
    with ExitStack() as stack:
        consumer = stack.enter_context(Consumer(options))
        if stop_on_signals:
            stack.enter_context(StopOnSignals(consumer))
        yield from consumer


def _options(endpoints: Endpoints, queue: str, options: Any) -> Options:
    try:
        return Options(endpoints, queue, **options)
    except TypeError as error:
        raise ConsumerError("invalid-option", str(error).replace("Options.__init__() ", "")) from None


class StopOnSignals:
    """In the main thread, SIGTERM and Ctrl-C stop ``consumer``, once, where the program has not said otherwise."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._before: List[Any] = []

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number, default in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
            if signal.getsignal(number) is default:
                self._before.append((number, default))
                signal.signal(number, self._stop)

    def __exit__(self, *_error: object) -> None:
        for number, default in self._before:
            signal.signal(number, default)
        self._before.clear()

    def _stop(self, number: int, _frame: Optional[FrameType]) -> None:
        self._consumer.stop()
        # The second one ends the program.
        self.__exit__()
