"""Reads announcements. Messages come from outside: everything in them is checked here before use. Pure."""
from __future__ import annotations

import json
from typing import Any, Mapping, Optional

from .announcement import Announcement, Verdict
from .checks import integer, invalid, require
from .keys import is_camera_id, parse_frame_key

CLOCKS = ("camera", "arrival")
VERDICTS = ("healthy", "torn", "black", "grey", "frozen", "static")
"""What may be said of a picture; docs/capture/verdicts.md explains each."""
REMOVALS = ("after", "getdel", "keep", "any")
"""How the services of a queue are done with a frame; ``any`` leaves it to the consumer."""
OTHER_EVENTS = ("vigil.camera.state.v1", "vigil.camera.gap.v1")
MAX_BODY_BYTES = 65_536
"""An announcement is some 500 bytes long."""


def read_announcement(body: bytes) -> Announcement:
    """The announcement in a message body. Raises a ConsumerError ``invalid-message`` that says what is wrong.

    >>> read_announcement(b"{}")
    Traceback (most recent call last):
    ...
    vigil_consumer.errors.ConsumerError: a message is not a frame announcement: event/specversion is not "1.0"
    """
    if len(body) > MAX_BODY_BYTES:
        raise invalid(f"expected at most {MAX_BODY_BYTES} bytes, found {len(body)}")
    try:
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        # The parser quotes what it could not read.
        raise invalid("the body is not JSON") from None
    require(isinstance(event, dict), "event is not an object")
    _literals(event)
    data = event.get("data")
    require(isinstance(data, dict), "event/data is not an object")
    return _announcement(event, data)


def _literals(event: Mapping[str, Any]) -> None:
    for name, value in (
        ("specversion", "1.0"),
        ("type", "vigil.frame.sampled.v1"),
        ("datacontenttype", "application/json"),
    ):
        require(event.get(name) == value, f'event/{name} is not "{value}"')
    for name in ("id", "source", "time"):
        require(isinstance(event.get(name), str), f"event/{name} is not text")
    require(event["id"] != "", "event/id is empty")
    require(is_camera_id(event.get("subject")), "event/subject is not a camera id")


def _announcement(event: Mapping[str, Any], data: Mapping[str, Any]) -> Announcement:
    text = data.get("key")
    key = parse_frame_key(text) if isinstance(text, str) else None
    if key is None or not isinstance(text, str):
        raise invalid("event/data/key is not a frame key")
    require(is_camera_id(data.get("camera")), "event/data/camera is not a camera id")
    captured_at = integer(data, "capturedAt", 0)
    width, height = integer(data, "width", 1), integer(data, "height", 1)
    for name, value, expected in (
        ("camera", data["camera"], key.camera),
        ("capturedAt", captured_at, key.captured_at),
        ("width", width, key.width),
        ("height", height, key.height),
        ("format", data.get("format"), key.format),
    ):
        require(value == expected, f"event/data/{name} contradicts the key")
    require(isinstance(data.get("delayed"), bool), "event/data/delayed is not true or false")
    clock = data.get("clock")
    require("clock" not in data or clock in CLOCKS, "event/data/clock is not one of " + ", ".join(CLOCKS))
    require("clockUnset" not in data or data["clockUnset"] is True, "event/data/clockUnset is not true")
    node = data.get("node")
    require("node" not in data or isinstance(node, str) and node != "", "event/data/node is not a name")
    return Announcement(
        id=event["id"],
        key=text,
        namespace=key.namespace,
        camera=key.camera,
        captured_at=captured_at,
        width=width,
        height=height,
        format=key.format,
        bytes=integer(data, "bytes", 1),
        sequence=integer(data, "sequence", 0),
        delayed=data["delayed"],
        age_ms=integer(data, "ageMs", 0),
        clock=clock,
        clock_skew_ms=integer(data, "clockSkewMs") if "clockSkewMs" in data else None,
        clock_unset="clockUnset" in data,
        link_delay_ms=integer(data, "linkDelayMs", 1) if "linkDelayMs" in data else None,
        verdict=_verdict(data["verdict"]) if "verdict" in data else None,
        source_width=integer(data, "sourceWidth", 1) if "sourceWidth" in data else None,
        source_height=integer(data, "sourceHeight", 1) if "sourceHeight" in data else None,
        rotation=_rotation(data),
        node=node,
        recipients=_recipients(data["recipients"]) if "recipients" in data else None,
        event=event,
    )


def read_other_event(body: bytes) -> Optional[Mapping[str, Any]]:
    """The event in a message body that is no announcement: a camera's state, or a gap; None where it is neither."""
    try:
        event = json.loads(body.decode("utf-8")) if len(body) <= MAX_BODY_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict) or event.get("type") not in OTHER_EVENTS or event.get("specversion") != "1.0":
        return None
    data = event.get("data")
    return event if isinstance(data, dict) and is_camera_id(data.get("camera")) else None


def _recipients(value: Any) -> Mapping[str, str]:
    require(isinstance(value, dict), "event/data/recipients is not an object")
    for queue, removal in value.items():
        require(queue != "" and removal in REMOVALS, "event/data/recipients has a value that is not one of " + ", ".join(REMOVALS))
    return dict(value)


def _verdict(value: Any) -> Verdict:
    require(isinstance(value, dict) and value.get("kind") in VERDICTS, "event/data/verdict is not a verdict")
    confidence = integer(value, "confidence", 0, "event/data/verdict")
    require(confidence <= 100, "event/data/verdict/confidence is above 100")
    reason = value.get("reason")
    require(reason is None or isinstance(reason, str), "event/data/verdict/reason is not text")
    return Verdict(value["kind"], confidence, reason)


def _rotation(data: Mapping[str, Any]) -> int:
    if "rotation" not in data:
        return 0
    degrees = integer(data, "rotation", 0)
    require(degrees in (90, 180, 270), "event/data/rotation is not 90, 180 or 270")
    return degrees
