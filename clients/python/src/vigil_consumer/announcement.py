"""What a checked announcement says about a frame."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Mapping, Optional

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Verdict:
    """The quality of the picture, without regard to what it shows."""

    kind: str
    confidence: int
    """0 to 100."""
    reason: Optional[str] = None
    """By what it was found to be bad, such as ``packet-loss``."""


@dataclass(frozen=True)
class Announcement:
    """A checked announcement; docs/contract.md explains each value."""

    id: str
    key: str
    namespace: str
    camera: str
    captured_at: int
    """Capture time, milliseconds since the epoch."""
    width: int
    height: int
    format: str
    bytes: int
    """Size of the encoded picture."""
    sequence: int
    delayed: bool
    age_ms: int
    clock: Optional[str] = None
    clock_skew_ms: Optional[int] = None
    clock_unset: bool = False
    link_delay_ms: Optional[int] = None
    verdict: Optional[Verdict] = None
    source_width: Optional[int] = None
    """Pixels of the picture as the camera sent it."""
    source_height: Optional[int] = None
    rotation: int = 0
    """Degrees clockwise by which a keyframe is still to be turned to be upright."""
    node: Optional[str] = None
    """Node of the fleet that sent it; None without a fleet."""
    recipients: Optional[Mapping[str, str]] = None
    """Present when several queues get the frame: those whose services must have it, and how each is done with it."""
    event: Optional[Mapping[str, Any]] = None
    """The whole CloudEvent."""

    @property
    def time(self) -> datetime:
        """Capture time, UTC."""
        return _EPOCH + timedelta(milliseconds=self.captured_at)


class Announced:
    """Gives an object that has an announcement the properties of the announced frame."""

    if TYPE_CHECKING:

        @property
        def announcement(self) -> Announcement: ...

    @property
    def key(self) -> str:
        return self.announcement.key

    @property
    def camera(self) -> str:
        return self.announcement.camera

    @property
    def captured_at(self) -> int:
        """Milliseconds since the epoch."""
        return self.announcement.captured_at
