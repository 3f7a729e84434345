"""Consumes Vigil's camera frames: announcements from RabbitMQ, pictures from Redis. See docs/consumers.md."""
from .announcement import Announcement, Verdict
from .api import consume, frames
from .consumer import Consumer
from .contract import read_announcement
from .errors import ConsumerError, Fault, Pause, Requeue, UndecodableError
from .frame import Frame
from .image import decode_image
from .keys import FrameKey, parse_frame_key
from .options import Options, Settled
from .pictures import Picture, Pictures

__all__ = [
    "Announcement", "Consumer", "ConsumerError", "Fault", "Frame", "FrameKey", "Options", "Pause", "Picture", "Pictures",
    "Requeue", "Settled",
    "UndecodableError", "Verdict", "consume", "decode_image", "frames", "parse_frame_key", "read_announcement",
]
