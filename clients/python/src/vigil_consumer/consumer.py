"""The consumer: hands announced frames out as their turns come, and settles their messages. Thread-safe."""
from __future__ import annotations

import random
import threading
import time
from functools import partial
from typing import Dict, Iterator, List, Optional

from .broker import Broker, BrokerEvents
from .contract import read_announcement
from .dead_letters import DeadLetters
from .errors import ConsumerError, text_of
from .frame import Frame
from .intake import LATEST_WINDOW, Intake
from .options import Options, Settled
from .overtaken import Overtaken
from .reports import Reports
from .seen import SeenFrames
from .store import Store
from .task import Message, Session, Task
from .trouble import trouble_of
from .turns import Turns, back_off_ms

_IDLE_S = 1.0


def _now_ms() -> float:
    return time.monotonic() * 1000


class _Work:
    """What is known of a frame at work."""

    def __init__(self, delivered_ms: float) -> None:
        self.delivered_ms = delivered_ms
        self.taken_ms = delivered_ms
        self.fetched_ms = delivered_ms
        self.bytes = 0
        self.thread = threading.get_ident()
        self.is_handed_out = False


class Consumer:
    """Iterate it for frames, from one thread or several; :meth:`close` it, or use it as a context manager.

    :param limit: frames in hand at the same time
    :param is_shared: frames are settled by other threads than the one that takes them
    """

    def __init__(self, options: Options, limit: Optional[int] = None, is_shared: bool = False) -> None:
        self.options = options
        self._is_shared = is_shared
        self.counters: Dict[str, int] = dict.fromkeys(
            ("processed", "failed", "rejected", "returned", "expired", "invalid", "overtaken", "repeated"), 0
        )
        self._condition = threading.Condition()
        self._turns = Turns(limit or options.prefetch, options.latest_only, options.ordered)
        self._intake = Intake(max(options.prefetch, LATEST_WINDOW) if options.latest_only else options.prefetch)
        self._work: Dict[Task, _Work] = {}
        self._seen = SeenFrames()
        self._reports = Reports(options.on_fault, options.on_consuming)
        self._store = Store(options.endpoints, f"vigil-consumer:{options.queue}", options.ca_file)
        self._overtaken = Overtaken(self._store.text)
        self._dead_letters = DeadLetters(options.endpoints, options.queue, options.ca_file)
        self._store_attempt = 0
        self._store_rests_ms = 0.0
        self.is_stopping = False
        events = BrokerEvents(self._accept, self._wanted, self._subscribed, self._lost, self._reports.outage)
        self._broker = Broker(options.endpoints, options.queue, options.ca_file, events)
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
        deadline_ms = None if timeout_s is None else _now_ms() + timeout_s * 1000
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
                now_ms = _now_ms()
                if self.is_stopping or (deadline_ms is not None and now_ms >= deadline_ms):
                    return None
                looks = self._store_attempt > 0 and now_ms >= self._store_rests_ms
                if looks:
                    # Others wait meanwhile.
                    self._store_rests_ms = now_ms + 60_000
                elif self._store_attempt == 0:
                    task = self._turns.next(now_ms)
                    if task is not None:
                        work = self._work[task]
                        work.taken_ms, work.thread = now_ms, threading.get_ident()
                        return task
                    self._check_settled()
                if not looks:
                    until = [self._store_rests_ms - now_ms if self._store_attempt else self._turns.due_ms(now_ms)]
                    until.append(None if deadline_ms is None else deadline_ms - now_ms)
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

    def _store_away(self, error: ConsumerError) -> None:
        self._reports.outage(error)
        with self._condition:
            self._store_attempt += 1
            wait_ms = back_off_ms(200, 2000, self._store_attempt, (1 + random.random()) / 2)
            self._store_rests_ms = _now_ms() + wait_ms
            self._condition.notify_all()
        self._broker.wake()

    def _fetch(self, task: Task) -> Optional[Frame]:
        """None when the frame is not to be worked on now."""
        repeat = self._repeat(task.message, task.key)
        if repeat is not None:
            self._pass_over([task], "repeated", repeat)
            return None
        try:
            if self.options.latest_only and self._overtaken.has(task):
                self._pass_over([task], "overtaken")
                return None
            data = task.taken or self._store.retrieve(task.key, self.options.removal == "getdel")
        except ConsumerError as error:
            self._not_fetched(task, error)
            return None
        if data is None:
            age_ms = time.time() * 1000 - task.captured_at
            text = f"frame {task.key}: gone from Redis (taken by another consumer, or expired), captured {age_ms:.0f} ms ago"
            self._reports.add("expired", text)
            self._finish(task, "expired", "ack")
            return None
        if self.options.removal == "getdel":
            task.taken = data
        with self._condition:
            work = self._work[task]
            work.fetched_ms, work.bytes, work.is_handed_out = _now_ms(), len(data), True
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

    # Frames done with. Called once for each frame; later calls have no effect.

    def processed(self, task: Task) -> None:
        if not self._is_mine(task):
            return
        if self.options.removal == "after":
            self._remove(task)
        self._finish(task, "processed", "ack")

    def failed(self, task: Task, cause: Optional[BaseException]) -> None:
        """The frame comes again; not when its picture was taken, nor when this was its last delivery."""
        if not self._is_mine(task):
            return
        reason = "its work failed" if cause is None else f"its handler failed: {type(cause).__name__}: {text_of(cause)}"
        self._reports.add("handler-failed", f"frame {task.key}: {reason}", cause)
        if self.options.removal == "getdel" or (task.message.delivery_count or 0) >= self.options.delivery_limit:
            self._give_up(task, "failed", "handler-failed", reason)
            return
        before = task.message.delivery_count
        # Classic queues do not count deliveries: there a repeat waits as a fourth one.
        attempt = 1 + (before if before is not None else 3 if task.message.redelivered else 0)
        delay_s = back_off_ms(100, 5000, attempt, (1 + random.random()) / 2) / 1000
        self._finish(task, "failed", "requeue", delay_s)

    def rejected(self, task: Task, code: str, reason: str, cause: Optional[BaseException] = None) -> None:
        if not self._is_mine(task):
            return
        self._reports.add(code, f"frame {task.key}: {reason}", cause)
        self._give_up(task, "rejected", code, reason)

    def returned(self, task: Task) -> None:
        if self._is_mine(task):
            # What was taken out of Redis would be missing elsewhere.
            if self.options.removal == "getdel":
                self._give_up(task, "failed", "handler-failed", "it cannot be returned: removal is getdel")
            else:
                self._finish(task, "returned", "requeue")

    def troubled(self, task: Task, cause: BaseException) -> None:
        if self._is_mine(task):
            trouble = trouble_of(cause)
            code, kind, text = trouble or ("paused", "pause", text_of(cause))
            message = f"consuming pauses: {text}; frames wait, and none is given up for it"
            self._trouble(task, ConsumerError(code, message), text, kind, cause)

    def raised(self, task: Task, error: BaseException) -> None:
        """A handler's exception decides."""
        if trouble_of(error) is None:
            self.failed(task, error)
        else:
            self.troubled(task, error)

    def put_back(self, task: Task) -> None:
        if not self._is_mine(task):
            return
        with self._condition:
            self._work[task].is_handed_out = False
            overtaken = self._keep(task, self._turns.interrupted(task))
        self._pass_over(overtaken, "overtaken")

    def _trouble(
        self, task: Task, error: ConsumerError, text: str, kind: str, cause: Optional[BaseException]
    ) -> None:
        with self._condition:
            overtaken = self._turns.troubled(task, _now_ms(), random.random())
            if overtaken is not None:
                self._work[task].is_handed_out = False
                overtaken = self._keep(task, overtaken)
        if overtaken is None:
            # Others do not find that trouble.
            self.failed(task, cause or error)
            return
        self._reports.outage(error, kind, cause)
        self._pass_over(overtaken, "overtaken")
        self._broker.wake()

    def _is_mine(self, task: Task) -> bool:
        with self._condition:
            work = self._work.get(task)
            return work is not None and work.is_handed_out

    def _remove(self, task: Task) -> None:
        """The work is done: a picture that stays behind expires, and must not bring the frame back."""
        try:
            self._store.remove(task.key)
        except ConsumerError as error:
            self._reports.add("not-removed", f"frame {task.key}: left to expire in Redis: {error}")

    def _give_up(self, task: Task, outcome: str, code: str, reason: str) -> None:
        """``reject`` is what remains when the dead-letter queue does not take the reason."""
        how, seen = ("ack", "dead") if self._dead_letters.put(task.message, code, reason) else ("reject", "reject")
        self._finish(task, outcome, how, seen=seen)

    def _finish(self, task: Task, outcome: str, how: str, delay_s: float = 0, seen: Optional[str] = None) -> None:
        now_ms = _now_ms()
        with self._condition:
            work = self._work.pop(task, None)
            if work is None:
                return
            self.counters[outcome] += 1
            self._seen.set(task.key, seen or how)
            self._turns.over(task, outcome == "processed")
            self._condition.notify_all()
        self._broker.healthy()
        self._broker.settle(task.message, how, delay_s)
        self._tell(task, outcome, work, now_ms)

    def _pass_over(self, tasks: List[Task], outcome: str, how: str = "ack") -> None:
        for task in tasks:
            with self._condition:
                work = self._work.pop(task, None)
                if work is None:
                    continue
                self.counters[outcome] += 1
                if task in self._turns.at_work:
                    self._turns.passed_over(task)
                self._condition.notify_all()
            if outcome == "overtaken" and self.options.removal != "keep":
                self._remove(task)
            self._broker.settle(task.message, how)
            self._tell(task, outcome, work, _now_ms())

    def _tell(self, task: Task, outcome: str, work: _Work, now_ms: float) -> None:
        on_settled = self.options.on_settled
        if on_settled is None:
            return
        settled = Settled(
            key=task.key,
            camera=task.camera,
            outcome=outcome,
            age_ms=time.time() * 1000 - task.captured_at,
            wait_ms=work.taken_ms - work.delivered_ms,
            fetch_ms=work.fetched_ms - work.taken_ms if work.bytes else 0,
            work_ms=now_ms - work.fetched_ms if work.bytes else 0,
            bytes=work.bytes,
        )
        self._reports.call(partial(on_settled, settled))

    def _keep(self, task: Task, overtaken: List[Task]) -> List[Task]:
        """The frame waits again; in vain if the broker has taken it back with the connection it came over."""
        self._condition.notify_all()
        if task.message.session.is_over and task.taken is None:
            for one in self._turns.remove(lambda waiting: waiting is task):
                self._forget(one)
        return overtaken

    def _forget(self, task: Task) -> None:
        self._work.pop(task, None)
        self._seen.set(task.key, "requeue")

    # Called by the broker's thread.

    def _accept(self, message: Message) -> None:
        try:
            announcement = read_announcement(message.body)
        except ConsumerError as error:
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
            task = Task(message, announcement, is_suspect=message.redelivered and not is_known)
            self._work[task] = _Work(_now_ms())
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
        """Frames that wait come again, those in hand are finished. What GETDEL has taken waits here."""
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
        if threading.current_thread() is not self._broker:
            self._broker.join(5)
        self._store.close()
        self._reports.flush()

    def __enter__(self) -> "Consumer":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
