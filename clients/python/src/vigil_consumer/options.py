"""The options of a consumer: checked before anything is opened."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional

from .errors import ConsumerError, Fault
from .servers import Endpoints, amqp_server, redis_server

REMOVALS = ("after", "getdel", "keep")


@dataclass(frozen=True)
class Settled:
    """One finished frame, for metrics. Times are in milliseconds."""

    key: str
    camera: str
    outcome: str
    """``processed``, ``failed``, ``rejected``, ``returned``, ``expired``, ``overtaken`` or ``repeated``."""
    age_ms: float
    """From the capture to now, by this machine's clock."""
    wait_ms: float = 0
    """From the delivery to the beginning of the work."""
    fetch_ms: float = 0
    """Redis."""
    work_ms: float = 0
    """Your code."""
    bytes: int = 0


@dataclass(frozen=True)
class Options:
    """Options of every way to consume; :func:`vigil_consumer.frames` describes them."""

    endpoints: Endpoints
    queue: str = "vigil.detection"
    removal: str = "after"
    prefetch: int = 8
    latest_only: bool = False
    ordered: bool = False
    delivery_limit: int = 5
    ca_file: Optional[str] = None
    ffmpeg: str = "ffmpeg"
    on_fault: Optional[Callable[[Fault], None]] = None
    on_consuming: Optional[Callable[[], None]] = None
    on_settled: Optional[Callable[[Settled], None]] = None
    on_event: Optional[Callable[[Mapping[str, Any]], None]] = None

    def __post_init__(self) -> None:
        if not isinstance(self.queue, str) or self.queue == "":
            raise ConsumerError("invalid-option", "queue: expected a name, found none")
        if self.removal not in REMOVALS:
            raise ConsumerError("invalid-option", f'removal: expected one of {", ".join(REMOVALS)}, found "{self.removal}"')
        _check_count("prefetch", self.prefetch, 65_535)
        _check_count("delivery_limit", self.delivery_limit, 1_000_000)
        if isinstance(self.endpoints, Mapping):
            amqp_server(str(self.endpoints.get("amqp", "")))
            redis_server(str(self.endpoints.get("redis", "")))


def _check_count(name: str, value: object, maximum: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= maximum:
        raise ConsumerError("invalid-option", f"{name}: expected 1 to {maximum}, found {value}")
