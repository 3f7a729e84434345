"""What this process knows about frames that may be delivered again, by their message id's frame: the newest 20,000."""
from __future__ import annotations

from collections import OrderedDict
from typing import Optional

MAX_FRAMES = 20_000


class SeenFrames:
    """``ack`` and ``reject``: done with. ``requeue``: given back, and this process did not die of it.

    >>> seen = SeenFrames(limit=2)
    >>> for key in ("a", "b", "c"): seen.set(key, "ack")
    >>> seen.get("a"), seen.get("c")
    (None, 'ack')
    """

    def __init__(self, limit: int = MAX_FRAMES) -> None:
        self._limit = limit
        self._frames: "OrderedDict[str, str]" = OrderedDict()

    def get(self, key: str) -> Optional[str]:
        return self._frames.get(key)

    def set(self, key: str, how: str) -> None:
        self._frames.pop(key, None)
        self._frames[key] = how
        if len(self._frames) > self._limit:
            self._frames.popitem(last=False)
