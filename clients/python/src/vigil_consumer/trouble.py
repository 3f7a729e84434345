"""Which exceptions of a handler are caused by its machine, disk, network or servers, and not by the frame at hand. Pure."""
from __future__ import annotations

import re
import socket
from typing import NamedTuple, Optional

from .errors import ConsumerError, Pause, text_of


class Trouble(NamedTuple):
    """A cause that prevents a consumer from handling any frame."""

    code: str
    kind: str
    """Changes when it is another trouble; texts name files and change from frame to frame."""
    text: str


_REDIS_REFUSES = re.compile(
    r"(?:.* )?(MISCONF|OOM|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM)\b"
)
_NO_MEMORY = re.compile(r"insufficient memory|failed to allocate|cannot allocate memory|bad_alloc|out of memory", re.I)
_AWAY = ("AMQPConnectionError", "ConnectionError", "ConnectTimeout", "ReadTimeout", "Timeout", "TimeoutError", "TransportError",
         "ConnectError", "BusyLoadingError", "ReadOnlyError", "MasterNotFoundError", "ClusterDownError")
_LIBRARIES = ("redis", "pika", "requests", "urllib3", "httpx", "httpcore", "aiohttp", "amqp", "kombu", "psycopg2", "psycopg")
_MAX_DEPTH = 8


def trouble_of(error: BaseException) -> Optional[Trouble]:
    """None for an exception that may well be the frame's: those come again until the queue's delivery limit.

    >>> trouble_of(OSError(28, "No space left on device")).kind
    '28'
    >>> trouble_of(ValueError("no plate")) is None
    True
    """
    each: Optional[BaseException] = error
    for _ in range(_MAX_DEPTH):
        if each is None:
            return None
        kind = _kind_of(each)
        if kind is not None:
            code = "no-ffmpeg" if kind == "no-ffmpeg" else "paused"
            return Trouble(code, kind, _describe(error, each))
        # Not __context__: an exception that a handler dealt with is no cause of the next one.
        each = each.__cause__ or next(iter(getattr(each, "exceptions", ())), None)
    return None


def _kind_of(error: BaseException) -> Optional[str]:
    if isinstance(error, Pause):
        return "pause"
    if isinstance(error, ConsumerError):
        return error.code if error.code in ("no-ffmpeg", "redis-refused", "redis-unreachable") else None
    if isinstance(error, OSError):
        # Pillow raises OSError without a number for pictures that it cannot read.
        if error.errno is not None:
            return str(error.errno)
        if isinstance(error, (ConnectionError, TimeoutError, socket.timeout, socket.gaierror)):
            return "network"
    if isinstance(error, MemoryError) or _is_out_of_memory(error):
        return "memory"
    return _kind_by_library(error)


def _is_out_of_memory(error: BaseException) -> bool:
    module = type(error).__module__.partition(".")[0]
    return module in ("cv2", "numpy", "torch", "onnxruntime") and _NO_MEMORY.search(str(error)) is not None


def _kind_by_library(error: BaseException) -> Optional[str]:
    types = [one for one in type(error).__mro__ if one.__module__.partition(".")[0] in _LIBRARIES]
    if not types:
        return None
    if any(one.__module__.startswith("redis") for one in types):
        refusal = _REDIS_REFUSES.match(str(error))
        if refusal is not None:
            return refusal[1]
    away = next((one.__name__ for one in types if one.__name__ in _AWAY), None)
    return None if away is None else f"{types[0].__module__.partition('.')[0]} {away}"


def _describe(outer: BaseException, inner: BaseException) -> str:
    where, why = text_of(outer), text_of(inner)
    return where if why in where else f"{where}: {why}"
