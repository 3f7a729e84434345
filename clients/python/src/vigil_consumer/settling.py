"""How frames are settled: each once, from any thread."""
from __future__ import annotations

import random
import threading
import time
from functools import partial
from typing import Dict, List, Optional

from .broker import Broker, BrokerEvents
from .contract import read_other_event
from .dead_letters import DeadLetters
from .errors import ConsumerError, text_of
from .lag import Lag
from .options import Options, Settled
from .reports import Reports
from .seen import SeenFrames
from .store import Store
from .task import Message, Session, Task
from .trouble import trouble_of
from .turns import Turns, back_off_ms


def now_ms() -> float:
    """Of a monotonic clock."""
    return time.monotonic() * 1000


class Work:
    """What is known of a frame at work."""

    def __init__(self, delivered_ms: float) -> None:
        self.delivered_ms = delivered_ms
        self.taken_ms = delivered_ms
        self.fetched_ms = delivered_ms
        self.bytes = 0
        self.thread = threading.get_ident()
        self.is_handed_out = False


class Settling:
    """The state of a consumer, under one lock, and what is done with its frames.

    The public methods are called once for each frame; later calls have no effect.
    """

    def __init__(self, options: Options, limit: Optional[int]) -> None:
        self.options = options
        self.counters: Dict[str, int] = dict.fromkeys(
            ("processed", "failed", "rejected", "returned", "expired", "invalid", "overtaken", "repeated"), 0
        )
        self.is_stopping = False
        self._condition = threading.Condition()
        self._turns = Turns(limit or options.prefetch, options.latest_only, options.ordered)
        self._work: Dict[Task, Work] = {}
        self._seen = SeenFrames()
        self._lag = Lag()
        self._reports = Reports(options.on_fault, options.on_consuming)
        self._store = Store(options.endpoints, f"vigil-consumer:{options.queue}", options.ca_file)
        self._dead_letters = DeadLetters(options.endpoints, options.queue, options.ca_file)
        # Tries since Redis last worked, and when the next one is due.
        self._store_attempt = 0
        self._store_rests_ms = 0.0
        events = BrokerEvents(self._accept, self._wanted, self._subscribed, self._lost, self._reports.outage)
        self._broker = Broker(options.endpoints, options.queue, options.ca_file, events)

    def _accept(self, message: Message) -> None:
        raise NotImplementedError

    def _wanted(self, asked: int) -> int:
        raise NotImplementedError

    def _subscribed(self) -> None:
        raise NotImplementedError

    def _lost(self, session: Session) -> None:
        raise NotImplementedError

    def processed(self, task: Task) -> None:
        if not self._is_mine(task):
            return
        if task.removal == "after":
            self._remove(task)
        self._finish(task, "processed", "ack")

    def failed(self, task: Task, cause: Optional[BaseException]) -> None:
        """The frame comes again; not when its picture was taken, nor when this was its last delivery."""
        if not self._is_mine(task):
            return
        reason = "its work failed" if cause is None else f"its handler failed: {type(cause).__name__}: {text_of(cause)}"
        self._reports.add("handler-failed", f"frame {task.key}: {reason}", cause)
        if task.removal == "getdel" or (task.message.delivery_count or 0) >= self.options.delivery_limit:
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
            # A picture taken out of Redis would be missing elsewhere.
            if task.removal == "getdel":
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
            overtaken = self._turns.troubled(task, now_ms(), random.random())
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

    def _is_other(self, message: Message) -> bool:
        """Hands over an event that is not about a frame, and acknowledges it."""
        event = read_other_event(message.body)
        if event is None:
            return False
        self._broker.settle(message, "ack")
        if self.options.on_event is not None:
            self._reports.call(partial(self.options.on_event, event))
        return True

    def _is_mine(self, task: Task) -> bool:
        with self._condition:
            work = self._work.get(task)
            return work is not None and work.is_handed_out

    def _note_lag(self, task: Task, age_ms: float) -> None:
        with self._condition:
            text = None if task.is_late else self._lag.note(age_ms, task.message.life_ms, now_ms())
        if text is not None:
            self._reports.add("behind", text)

    def _remove(self, task: Task) -> None:
        """The work is done: a picture that stays behind expires, and must not bring the frame back."""
        try:
            self._store.remove(task.key, task.share)
        except ConsumerError as error:
            self._reports.add("not-removed", f"frame {task.key}: left to expire in Redis: {error}")

    def _give_up(self, task: Task, outcome: str, code: str, reason: str) -> None:
        """``reject`` is what remains when the dead-letter queue does not take the reason."""
        how, seen = ("ack", "dead") if self._dead_letters.put(task.message, code, reason) else ("reject", "reject")
        self._finish(task, outcome, how, seen=seen)

    def _finish(self, task: Task, outcome: str, how: str, delay_s: float = 0, seen: Optional[str] = None) -> None:
        at_ms = now_ms()
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
        self._tell(task, outcome, work, at_ms)

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
            if outcome == "overtaken" and task.removal != "keep":
                self._remove(task)
            self._broker.settle(task.message, how)
            self._tell(task, outcome, work, now_ms())

    def _tell(self, task: Task, outcome: str, work: Work, at_ms: float) -> None:
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
            work_ms=at_ms - work.fetched_ms if work.bytes else 0,
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

    def _store_away(self, error: ConsumerError) -> None:
        self._reports.outage(error)
        with self._condition:
            self._store_attempt += 1
            wait_ms = back_off_ms(200, 2000, self._store_attempt, (1 + random.random()) / 2)
            self._store_rests_ms = now_ms() + wait_ms
            self._condition.notify_all()
        self._broker.wake()
