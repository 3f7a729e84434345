"""Consumes Vigil's camera frames: announcements from RabbitMQ, pictures from Redis. See docs/consumers.md."""
from .api import consume, frames
from .consumer import Consumer
from .contract import Announcement, FrameKey, Verdict, parse_frame_key, read_announcement
from .errors import ConsumerError, Fault, Pause, Requeue, UndecodableError
from .frame import Frame
from .image import decode_image
from .options import Options, Settled
from .pictures import Picture, Pictures

__all__ = [
    "Announcement", "Consumer", "ConsumerError", "Fault", "Frame", "FrameKey", "Options", "Pause", "Picture", "Pictures",
    "Requeue", "Settled",
    "UndecodableError", "Verdict", "consume", "decode_image", "frames", "parse_frame_key", "read_announcement",
]
