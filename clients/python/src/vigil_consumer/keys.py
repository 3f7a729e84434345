"""Keys in Redis, which contain metadata or are derived from others. Pure."""
from __future__ import annotations

import re
from typing import Any, NamedTuple, Optional

FRAME_FORMATS = ("jpeg", "png", "webp", "h264", "h265")
"""Encodings of a picture. ``h264`` and ``h265`` are one keyframe each, an Annex B access unit."""

_ID = r"[A-Za-z0-9_-]{1,64}"
_CAMERA = re.compile(_ID)
_KEY = re.compile(
    rf"({_ID}):frame:({_ID}):(0|[1-9][0-9]{{0,14}}):([1-9][0-9]{{0,4}})x([1-9][0-9]{{0,4}}):({'|'.join(FRAME_FORMATS)})"
)


def is_camera_id(value: Any) -> bool:
    return isinstance(value, str) and _CAMERA.fullmatch(value) is not None


class FrameKey(NamedTuple):
    """The metadata in a frame's key."""

    namespace: str
    camera: str
    captured_at: int
    """Milliseconds since the epoch."""
    width: int
    height: int
    format: str


def parse_frame_key(text: str) -> Optional[FrameKey]:
    """The parts of a frame key; None for any other text.

    >>> parse_frame_key("vigil:frame:gate:1795381133042:1920x1080:jpeg")
    FrameKey(namespace='vigil', camera='gate', captured_at=1795381133042, width=1920, height=1080, format='jpeg')
    >>> parse_frame_key("vigil:frame:../etc:1:1x1:jpeg") is None
    True
    """
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    namespace, camera, captured_at, width, height, form = match.groups()
    return FrameKey(namespace, camera, int(captured_at), int(width), int(height), form)


def done_key(key: str) -> str:
    """The set of the queues whose services have finished with a frame that several must have.

    >>> done_key("vigil:frame:gate:1:1x1:jpeg")
    '{vigil:frame:gate:1:1x1:jpeg}:done'
    """
    return f"{{{key}}}:done"


def latest_key(namespace: str, camera: str) -> str:
    """The key that holds the newest frame key of a camera.

    >>> latest_key("vigil", "gate")
    'vigil:latest:gate'
    """
    return f"{namespace}:latest:{camera}"
