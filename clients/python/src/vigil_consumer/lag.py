"""Notices a detector that is slower than the cameras. Pure: times are milliseconds of one monotonic clock."""
from __future__ import annotations

from typing import Optional

_LATE_SHARE = 0.5
"""Frames that come to their turn later than this share of their message's life are late."""
_LASTING_MS = 60_000
"""A backlog that shrinks does not mean a slow detector."""


class Lag:
    """What frames tell as their turns come.

    >>> lag = Lag()
    >>> lag.note(60_000, 108_000, 0), lag.note(60_000, 108_000, 59_000)
    (None, None)
    >>> lag.note(60_000, 108_000, 60_000)[:75]
    'frames wait 60.0 s of the 108.0 s that they may before their turn comes, fo'
    >>> lag.note(60_000, 108_000, 61_000), lag.note(100, 108_000, 62_000), lag.note(60_000, 108_000, 130_000)
    (None, None, None)
    """

    def __init__(self) -> None:
        self._since_ms: Optional[float] = None

    def note(self, age_ms: float, life_ms: Optional[int], now_ms: float) -> Optional[str]:
        """What to say, at most once a minute; None when there is nothing.

        :param age_ms: of the frame whose turn has come
        :param life_ms: of its message; None when nothing says
        """
        if life_ms is None or age_ms < life_ms * _LATE_SHARE:
            self._since_ms = None
            return None
        if self._since_ms is None:
            self._since_ms = now_ms
        if now_ms - self._since_ms < _LASTING_MS:
            return None
        self._since_ms = now_ms
        return (
            f"frames wait {age_ms / 1000:.1f} s of the {life_ms / 1000:.1f} s that they may before their turn comes, for a minute now: "
            "the detector is slower than the cameras; set latest_only, or run more consumers"
        )
