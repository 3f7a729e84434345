"""Whether a newer frame of a camera is in Redis, whose announcement is still to come; for ``latest_only``."""
from __future__ import annotations

import time
from typing import Callable, Dict, Optional, Tuple

from .keys import latest_key, parse_frame_key
from .task import Task

WAIT_S = 2.0
"""The announcement may be late, or go to another consumer: a camera's frames are passed over for this long at most."""


class Overtaken:
    def __init__(self, text: Callable[[str], Optional[str]]) -> None:
        self._text = text
        self._expected: Dict[str, Tuple[int, float]] = {}

    def has(self, task: Task) -> bool:
        """Frames that were stored after the camera's turn came do not count: it would never have a turn. Raises what
        reading Redis raises."""
        now_s = time.monotonic()
        captured_at, since_s = self._expected.get(task.camera) or (self._latest(task), now_s)
        is_overtaken = captured_at > task.captured_at and now_s - since_s <= WAIT_S
        if is_overtaken:
            self._expected[task.camera] = (captured_at, since_s)
        else:
            self._expected.pop(task.camera, None)
        return is_overtaken

    def _latest(self, task: Task) -> int:
        latest = parse_frame_key(self._text(latest_key(task.announcement.namespace, task.camera)) or "")
        return -1 if latest is None else latest.captured_at
