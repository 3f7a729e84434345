"""The consumer: hands announced frames out as their turns come. Thread-safe."""
from __future__ import annotations

import threading
import time
from typing import Iterator, Optional

from .contract import read_announcement
from .errors import ConsumerError
from .frame import Frame
from .intake import LATEST_WINDOW, Intake
from .options import Options
from .overtaken import Overtaken
from .settling import Settling, Work, now_ms
from .task import Message, Session, Task, task_of

_IDLE_S = 1.0


class Consumer(Settling):
    """Iterate it for frames, from one thread or several; :meth:`close` it, or use it as a context manager.

    :param limit: frames in hand at the same time
    :param is_shared: frames are settled by other threads than the one that takes them
    :param is_started: false: it connects when it is entered as a context manager
    """

    def __init__(
        self, options: Options, limit: Optional[int] = None, is_shared: bool = False, is_started: bool = True
    ) -> None:
        super().__init__(options, limit)
        self._is_shared = is_shared
        self._intake = Intake(max(options.prefetch, LATEST_WINDOW) if options.latest_only else options.prefetch)
        self._overtaken = Overtaken(self._store.text)
        if is_started:
            self._broker.start()

    # Frames out.

    def __iter__(self) -> Iterator[Frame]:
        while True:
            frame = self.take()
            if frame is None:
                return
            yield frame

    def take(self, timeout_s: Optional[float] = None) -> Optional[Frame]:
        """The next frame; None when the consumer was stopped, or none came in time.

        Raises a ConsumerError ``unsettled`` when all that this thread may have in hand is, and none was settled.
        """
        deadline_ms = None if timeout_s is None else now_ms() + timeout_s * 1000
        while True:
            task = self._next(deadline_ms)
            if task is None:
                return None
            frame = self._fetch(task)
            if frame is not None:
                return frame

    def _next(self, deadline_ms: Optional[float]) -> Optional[Task]:
        while True:
            with self._condition:
                at_ms = now_ms()
                if self.is_stopping or (deadline_ms is not None and at_ms >= deadline_ms):
                    return None
                looks = self._store_attempt > 0 and at_ms >= self._store_rests_ms
                if looks:
                    # Others wait meanwhile.
                    self._store_rests_ms = at_ms + 60_000
                elif self._store_attempt == 0:
                    task = self._turns.next(at_ms)
                    if task is not None:
                        work = self._work[task]
                        work.taken_ms, work.thread = at_ms, threading.get_ident()
                        return task
                    self._check_settled()
                if not looks:
                    until = [self._store_rests_ms - at_ms if self._store_attempt else self._turns.due_ms(at_ms)]
                    until.append(None if deadline_ms is None else deadline_ms - at_ms)
                    waits = [ms / 1000 for ms in until if ms is not None]
                    self._condition.wait(max(0.001, min([*waits, _IDLE_S])))
            if looks:
                self._look_for_store()

    def _check_settled(self) -> None:
        if self._is_shared:
            return
        mine = [one for one in self._turns.at_work if self._work[one].thread == threading.get_ident()]
        if len(mine) >= self._turns.limit:
            raise ConsumerError(
                "unsettled",
                f"{len(mine)} frames were taken and none was settled: call ack(), retry() or reject() on each frame, or raise prefetch",
            )

    def _look_for_store(self) -> None:
        try:
            self._store.ping()
        except ConsumerError as error:
            self._store_away(error)
            return
        with self._condition:
            self._store_attempt = 0
            self._condition.notify_all()
        self._broker.wake()

    def _fetch(self, task: Task) -> Optional[Frame]:
        """None when the frame must not be handled now."""
        repeat = self._repeat(task.message, task.key)
        if repeat is not None:
            self._pass_over([task], "repeated", repeat)
            return None
        try:
            if self.options.latest_only and self._overtaken.has(task):
                self._pass_over([task], "overtaken")
                return None
            takes = task.removal == "getdel"
            # Whether the service has already handled the frame matters only if it had it before.
            share = task.share if takes or task.message.redelivered else None
            data = task.taken or self._store.retrieve(task.key, takes, share)
        except ConsumerError as error:
            self._not_fetched(task, error)
            return None
        age_ms = time.time() * 1000 - task.captured_at
        self._note_lag(task, age_ms)
        if data is None:
            text = f"frame {task.key}: gone from Redis (taken by another consumer, or expired), captured {age_ms:.0f} ms ago"
            self._reports.add("expired", text)
            self._finish(task, "expired", "ack")
            return None
        if takes:
            task.taken = data
        with self._condition:
            work = self._work[task]
            work.fetched_ms, work.bytes, work.is_handed_out = now_ms(), len(data), True
        return Frame(self, task, data, self.options.ffmpeg)

    def _not_fetched(self, task: Task, error: ConsumerError) -> None:
        if error.code == "invalid-message":
            self._reports.add(error.code, str(error))
            self._give_up(task, "invalid", error.code, str(error))
        elif error.code == "redis-refused":
            self._trouble(task, error, str(error), error.code, None)
        else:
            with self._condition:
                overtaken = self._keep(task, self._turns.interrupted(task))
            self._pass_over(overtaken, "overtaken")
            self._store_away(error)

    # Called by the broker's thread.

    def _accept(self, message: Message) -> None:
        try:
            announcement = read_announcement(message.body)
        except ConsumerError as error:
            if not self._is_other(message):
                self._reject_invalid(message, error)
            return
        key = announcement.key
        repeat = self._repeat(message, key)
        if repeat is not None:
            with self._condition:
                self.counters["repeated"] += 1
            self._broker.settle(message, repeat)
            return
        with self._condition:
            is_known = self._seen.get(key) is not None or self._turns.is_at_work(key)
            task = task_of(message, announcement, self.options.queue, self.options.removal, is_known)
            self._work[task] = Work(now_ms())
            overtaken = self._turns.add(task)
            self._intake.delivered(task.is_suspect, self._turns.has_suspects)
            self._condition.notify_all()
        if overtaken:
            # Reading Redis is not this thread's: heartbeats wait behind it.
            threading.Thread(target=self._pass_over, args=(overtaken, "overtaken"), daemon=True).start()

    def _reject_invalid(self, message: Message, error: ConsumerError) -> None:
        with self._condition:
            self.counters["invalid"] += 1
        self._reports.add(error.code, str(error))

        def put() -> None:
            how = "ack" if self._dead_letters.put(message, error.code, str(error)) else "reject"
            self._broker.settle(message, how)

        threading.Thread(target=put, daemon=True).start()

    def _repeat(self, message: Message, key: str) -> Optional[str]:
        """How to settle a frame that was done with: the broker had not heard of it, or Vigil announced it twice."""
        with self._condition:
            seen = self._seen.get(key)
        if seen == "ack":
            return "ack"
        if not message.redelivered:
            # An operator may have put a dead letter back.
            return None
        return {"dead": "ack", "reject": "reject"}.get(seen or "")

    def _wanted(self, asked: int) -> int:
        with self._condition:
            return self._intake.wanted(asked, self._turns, self.is_stopping or self._store_attempt > 0)

    def _subscribed(self) -> None:
        with self._condition:
            is_flowing = not self._turns.is_paused and self._store_attempt == 0
        if is_flowing:
            self._reports.flowing()

    def _lost(self, session: Session) -> None:
        """Waiting frames are redelivered, those in hand are finished. What GETDEL has taken waits here."""
        with self._condition:
            self._intake.is_careful = True
            for task in self._turns.remove(lambda one: one.message.session is session and one.taken is None):
                self._forget(task)

    # The end.

    def stop(self) -> None:
        """Hands no more frames out; those in hand can still be settled. From any thread, and from signal handlers."""
        self.is_stopping = True
        self._broker.wake()

    def close(self, deadline_s: float = 10) -> None:
        """Stops, waits ``deadline_s`` for frames in other threads' hands, settles, and closes both connections.

        Frames not settled by then go back to the queue. Never raises.
        """
        self.stop()
        until_s = time.monotonic() + deadline_s
        with self._condition:
            self._condition.notify_all()
            while any(self._work[one].is_handed_out and self._work[one].thread != threading.get_ident()
                      for one in self._turns.at_work if one in self._work):
                remaining_s = until_s - time.monotonic()
                if remaining_s <= 0:
                    break
                self._condition.wait(remaining_s)
        self._broker.stop()
        if threading.current_thread() is not self._broker and self._broker.is_alive():
            self._broker.join(5)
        self._store.close()
        self._reports.flush()

    def __enter__(self) -> "Consumer":
        if not self._broker.is_alive() and not self.is_stopping:
            self._broker.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
