"""Which frame is handled next. Pure: time and chance are passed in; times are milliseconds of one monotonic clock."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Set

from .task import Task

ALONE_MS = 30_000
"""What kills a process does so sooner; work that takes longer must not hold the others up."""
_OWN_TROUBLE_MS = 10_000
_OWN_TROUBLE_SUCCESSES = 3
_PAUSE_FIRST_MS = 200
_PAUSE_CAP_MS = 5000


def back_off_ms(first_ms: float, cap_ms: float, attempt: int, random: float) -> float:
    """Exponential back-off with full jitter; ``random`` from 0 up to 1.

    >>> back_off_ms(200, 5000, 3, 0.5), back_off_ms(200, 5000, 99, 1)
    (400.0, 5000)
    """
    return min(cap_ms, first_ms * float(2 ** min(attempt - 1, 30))) * random


@dataclass
class _Pause:
    since_ms: float
    attempt: int
    until_ms: float


@dataclass(frozen=True)
class _Suffering:
    since_ms: float
    successes: int


class Turns:
    """The frames of one consumer.

    :param limit: frames in hand at the same time
    :param latest_only: of each camera only the newest frame waits, and cameras take turns
    :param ordered: one frame of each camera at a time, in the order they came
    """

    def __init__(self, limit: int, latest_only: bool, ordered: bool) -> None:
        self.limit = limit
        self._latest_only = latest_only
        self._one_per_camera = latest_only or ordered
        self._waiting: List[Task] = []
        self._at_work: Dict[Task, float] = {}
        self._suspects: Set[Task] = set()
        self._pause: Optional[_Pause] = None
        self._suffering: Dict[Task, _Suffering] = {}
        self._successes = 0
        self._served: Dict[str, int] = {}
        self._kept: Dict[str, int] = {}
        self._newest: Dict[str, int] = {}
        self._turn = 0

    @property
    def size(self) -> int:
        """Frames that wait or are at work."""
        return len(self._at_work) + len(self._waiting)

    @property
    def at_work(self) -> List[Task]:
        return list(self._at_work)

    @property
    def is_paused(self) -> bool:
        return self._pause is not None

    @property
    def has_suspects(self) -> bool:
        return len(self._suspects) > 0

    def is_at_work(self, key: str) -> bool:
        return any(task.key == key for task in self._at_work)

    def add(self, task: Task) -> List[Task]:
        """Returns frames that a newer one of their camera has made superfluous: none without ``latest_only``."""
        self._waiting.append(task)
        if task.is_suspect:
            self._suspects.add(task)
        if not self._latest_only:
            return []
        others = [one for one in self._waiting if one.camera == task.camera and one.key != task.key]
        newest = max([self._newest.get(task.camera, -1)] + [one.captured_at for one in others])
        # Frames that are not late are compared by arrival: a clock set back must not end a camera's turns.
        needless = [task] if task.is_late and newest > task.captured_at else others
        return self.remove(lambda one: one in needless)

    def remove(self, condition: Callable[[Task], bool]) -> List[Task]:
        """Removes the waiting frames that meet ``condition``."""
        removed = [one for one in self._waiting if condition(one)]
        if removed:
            self._waiting = [one for one in self._waiting if one not in removed]
        for one in removed:
            self._forget(one)
        return removed

    def next(self, now_ms: float) -> Optional[Task]:
        """The frame whose turn it is, now counted as in hand; None when none may begin."""
        if len(self._at_work) >= self.limit or not self._waiting:
            return None
        if self._pause is not None and (now_ms < self._pause.until_ms or self._is_probing(self._pause)):
            return None
        if self._suspects:
            recent = [one for one, started_ms in self._at_work.items() if now_ms - started_ms < ALONE_MS]
            if any(one.is_suspect for one in recent):
                return None
            suspect = next((one for one in self._waiting if one.is_suspect and self._is_free(one)), None)
            if suspect is not None:
                return None if recent else self._begin(suspect, now_ms)
        free = [one for one in self._candidates() if self._is_free(one)]
        if not free:
            return None
        chosen = min(free, key=lambda one: self._served.get(one.camera, 0)) if self._latest_only else free[0]
        return self._begin(chosen, now_ms)

    def due_ms(self, now_ms: float) -> Optional[float]:
        """Milliseconds until the passing of time alone may change the result of :meth:`next`; None if it cannot."""
        if not self._waiting:
            return None
        if self._pause is not None and now_ms < self._pause.until_ms:
            return self._pause.until_ms - now_ms
        alone = [started_ms + ALONE_MS - now_ms for started_ms in self._at_work.values()]
        later = [ms for ms in alone if ms > 0]
        return min(later) if self._suspects and later else None

    def passed_over(self, task: Task) -> None:
        """The frame needed no handling: its camera keeps its turn."""
        self._at_work.pop(task, None)
        self._forget(task)
        if self._latest_only and task.camera not in self._kept:
            self._kept[task.camera] = self._count()

    def over(self, task: Task, succeeded: bool) -> None:
        """The frame is finished; ``succeeded`` ends a pause."""
        started_ms = self._at_work.pop(task, None)
        self._forget(task)
        if self._latest_only:
            kept = self._kept.pop(task.camera, None)
            self._served[task.camera] = self._count() if kept is None else kept
        if not succeeded or started_ms is None:
            return
        self._successes += 1
        if self._pause is not None and started_ms >= self._pause.since_ms:
            self._pause = None

    def interrupted(self, task: Task) -> List[Task]:
        """A server was away: the frame waits again, ahead of the others. Returns as :meth:`add` does."""
        self._at_work.pop(task, None)
        self._waiting.insert(0, task)
        return self._take_overtaken(task)

    def troubled(self, task: Task, now_ms: float, random: float) -> Optional[List[Task]]:
        """Something of the consumer's own failed: the frame waits again, behind those of other cameras, and all pause.

        Returns as :meth:`add` does; or None, and the frame is still at work, when others do not find that trouble: then
        it is the frame's, or its camera's.
        """
        started_ms = self._at_work.get(task, now_ms)
        was_probe = self._pause is not None and started_ms >= self._pause.since_ms
        if self._pause is None or was_probe:
            since_ms, attempt = (now_ms, 1) if self._pause is None else (self._pause.since_ms, self._pause.attempt + 1)
            wait_ms = back_off_ms(_PAUSE_FIRST_MS, _PAUSE_CAP_MS, attempt, (1 + random) / 2)
            self._pause = _Pause(since_ms, attempt, now_ms + wait_ms)
        began = self._suffering.setdefault(task, _Suffering(now_ms, self._successes))
        if now_ms - began.since_ms >= _OWN_TROUBLE_MS and self._successes - began.successes >= _OWN_TROUBLE_SUCCESSES:
            return None
        self._at_work.pop(task, None)
        self._wait_behind(task)
        return self._take_overtaken(task)

    def _wait_behind(self, task: Task) -> None:
        """Behind all; where order is kept, before the next frame of its camera."""
        same = [one.camera == task.camera for one in self._waiting] if self._one_per_camera else []
        self._waiting.insert(same.index(True) if True in same else len(self._waiting), task)

    def _candidates(self) -> List[Task]:
        """Where order is kept, the first of each camera."""
        if not self._one_per_camera or self._latest_only:
            return self._waiting
        first: Dict[str, Task] = {}
        for one in self._waiting:
            first.setdefault(one.camera, one)
        return list(first.values())

    def _count(self) -> int:
        self._turn += 1
        return self._turn

    def _begin(self, task: Task, now_ms: float) -> Task:
        self._waiting.remove(task)
        self._at_work[task] = now_ms
        if self._latest_only:
            self._newest[task.camera] = task.captured_at
        return task

    def _forget(self, task: Task) -> None:
        self._suffering.pop(task, None)
        self._suspects.discard(task)

    def _take_overtaken(self, task: Task) -> List[Task]:
        if not self._latest_only:
            return []
        newer = any(one.camera == task.camera and one.captured_at > task.captured_at for one in self._waiting)
        return self.remove(lambda one: one is task) if newer else []

    def _is_free(self, task: Task) -> bool:
        """A second delivery of a frame waits for the first."""
        if self._one_per_camera:
            return not any(one.camera == task.camera for one in self._at_work)
        return not self.is_at_work(task.key)

    def _is_probing(self, pause: _Pause) -> bool:
        return any(started_ms >= pause.since_ms for started_ms in self._at_work.values())
