"""One delivery of a frame, on its way through a consumer."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional

from .announcement import Announced, Announcement
from .sharing import Share, removal_of, share_of


class Session:
    """One connection to RabbitMQ. What came over it can be settled only while it is open."""

    def __init__(self) -> None:
        self.is_over = False


@dataclass(frozen=True)
class Message:
    """A message of the queue."""

    session: Session
    tag: int
    body: bytes
    redelivered: bool
    routing_key: str
    content_type: Optional[str]
    message_id: Optional[str]
    headers: Mapping[str, Any]
    life_ms: Optional[int]
    """How long it may wait in the queue; None when nothing says."""

    @property
    def delivery_count(self) -> Optional[int]:
        """Deliveries before this one; only quorum queues count them."""
        count = self.headers.get("x-delivery-count")
        return count if isinstance(count, int) else None


def message_of(session: Session, method: Any, properties: Any, body: bytes) -> Message:
    """What pika hands over."""
    try:
        life_ms = int(properties.expiration)
    except (TypeError, ValueError):
        life_ms = None
    return Message(
        session=session,
        tag=method.delivery_tag,
        body=body,
        redelivered=bool(method.redelivered),
        routing_key=method.routing_key,
        content_type=properties.content_type,
        message_id=properties.message_id,
        headers=properties.headers or {},
        life_ms=life_ms if life_ms is not None and life_ms > 0 else None,
    )


@dataclass(eq=False)
class Task(Announced):
    """A frame that waits or is at work."""

    message: Message
    announcement: Announcement
    is_suspect: bool
    """Delivered before to a process that did not finish it, and perhaps died of it."""
    removal: str = "after"
    """As the message says, or the consumer's option where that leaves it open."""
    share: Optional[Share] = None
    """Where other services must have the frame too."""
    taken: Optional[bytes] = None
    """What GETDEL has taken: no one else has it."""

    @property
    def is_late(self) -> bool:
        """It waited during an outage or was delivered before: other frames of its camera may have overtaken it."""
        return self.message.redelivered or self.announcement.delayed


def task_of(message: Message, announcement: Announcement, queue: str, option: str, is_known: bool) -> Task:
    """A delivery to work on.

    :param option: the consumer's ``removal``
    :param is_known: this process has had the frame before, and still runs
    """
    recipients = announcement.recipients
    return Task(
        message,
        announcement,
        is_suspect=message.redelivered and not is_known,
        removal=removal_of(recipients, queue, option),
        share=share_of(recipients, queue),
    )
