"""Pictures for programs that get announcements in another way, such as tasks of Celery."""
from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any, Iterator, Mapping, NamedTuple, Optional

from .announcement import Announcement
from .contract import read_announcement
from .image import decode_image
from .servers import Endpoints
from .sharing import removal_of, share_of
from .store import Store


class Picture(NamedTuple):
    """What was announced, and the encoded picture."""

    announcement: Announcement
    data: bytes
    ffmpeg: str = "ffmpeg"

    def image(self, order: str = "bgr") -> Any:
        """As :meth:`vigil_consumer.Frame.image`."""
        return decode_image(self.data, self.announcement.format, order, self.ffmpeg)


class Pictures:
    """Fetches pictures for one service, and notes that its work is done. Thread-safe; connects when it is first used.

    :param queue: the queue that the announcements come from
    :param removal: as of :func:`vigil_consumer.frames`; used where the announcement leaves it open
    """

    def __init__(
        self, endpoints: Endpoints, queue: str, removal: str = "after", ca_file: Optional[str] = None, ffmpeg: str = "ffmpeg"
    ) -> None:
        self._queue = queue
        self._removal = removal
        self._ffmpeg = ffmpeg
        self._store = Store(endpoints, f"vigil-consumer:{queue}", ca_file)

    @contextmanager
    def open(self, event: Mapping[str, Any], redelivered: bool = False) -> Iterator[Optional[Picture]]:
        """The picture of an announcement; None when it has expired, or this service's work on it is done already.

        The work is noted as done at the end of the block, unless the block raises.

        :param event: the CloudEvent
        :param redelivered: its message came before
        :raises ConsumerError: ``invalid-message``, ``redis-unreachable`` or ``redis-refused``
        """
        announcement = read_announcement(json.dumps(event).encode())
        removal = removal_of(announcement.recipients, self._queue, self._removal)
        share = share_of(announcement.recipients, self._queue)
        takes = removal == "getdel"
        data = self._store.retrieve(announcement.key, takes, share if takes or redelivered else None)
        if data is None:
            yield None
            return
        yield Picture(announcement, data, self._ffmpeg)
        if removal == "after":
            self._store.remove(announcement.key, share)
