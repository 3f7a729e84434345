"""How many frames to request from the broker, given those at hand. Pure."""
from __future__ import annotations

from dataclasses import dataclass

from .turns import Turns

LATEST_WINDOW = 2000
"""Of ``latest_only``, one frame of each camera waits here for its turn."""


@dataclass
class Intake:
    """A process that dies costs every frame it holds one of its deliveries, not only the one it died of.

    So a session begins with a single frame and takes one after the other for as long as they are suspects; the whole
    window opens with the first that is none.
    """

    window: int
    is_careful: bool = True

    def delivered(self, is_suspect: bool, has_suspects: bool) -> None:
        if is_suspect:
            self.is_careful = True
        elif not has_suspects:
            self.is_careful = False

    def wanted(self, asked: int, turns: Turns, is_closed: bool) -> int:
        """Deliveries wanted unsettled, given what the broker was last asked for.

        >>> intake = Intake(window=8)
        >>> intake.wanted(0, Turns(8, False, False), is_closed=False)
        1
        >>> intake.delivered(is_suspect=False, has_suspects=False)
        >>> intake.wanted(1, Turns(8, False, False), is_closed=False)
        8
        """
        if is_closed:
            return 0
        if turns.is_paused:
            # One frame is needed to find out whether the trouble is over.
            return 1 if turns.size == 0 or asked == 1 else 0
        if self.is_careful:
            return 0 if turns.has_suspects and asked != 1 else 1
        # The broker does not count deliveries of earlier subscriptions.
        return self.window if asked == self.window or turns.size <= max(1, self.window // 2) else asked
