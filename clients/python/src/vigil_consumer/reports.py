"""Faults reach ``on_fault`` at most once a second for each code; an outage or a pause once, until frames flow again."""
from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import Callable, Dict, Optional, Set

from .errors import ConsumerError, Fault

LOG = logging.getLogger("vigil_consumer")
_EVERY_S = 1.0


class Reports:
    """Thread-safe. Without an ``on_fault``, faults go to the logger ``vigil_consumer``."""

    def __init__(self, on_fault: Optional[Callable[[Fault], None]], on_consuming: Optional[Callable[[], None]]) -> None:
        self._on_fault = on_fault
        self._on_consuming = on_consuming
        self._lock = threading.Lock()
        self._reported_s: Dict[str, float] = {}
        self._unreported: Dict[str, Fault] = {}
        self._told: Set[str] = set()
        self._is_flowing = False

    def add(self, code: str, message: str, cause: Optional[BaseException] = None) -> None:
        now_s = time.monotonic()
        with self._lock:
            before = self._unreported.get(code)
            fault = Fault(code, message, 1 if before is None else before.count + 1, cause)
            self._unreported[code] = fault
            if now_s - self._reported_s.get(code, -_EVERY_S) < _EVERY_S:
                return
            self._reported_s[code] = now_s
            del self._unreported[code]
        self._hand(fault)

    def outage(self, error: ConsumerError, kind: Optional[str] = None, cause: Optional[BaseException] = None) -> None:
        """:param kind: what makes two faults the same cause; texts differ from frame to frame"""
        with self._lock:
            self._is_flowing = False
            if (kind or error.code) in self._told:
                return
            self._told.add(kind or error.code)
        self.add(error.code, str(error), cause)

    def flowing(self) -> None:
        """Frames arrive and are handled; called often."""
        if self._is_flowing:
            return
        with self._lock:
            self._is_flowing = True
            self._told.clear()
        if self._on_consuming is not None:
            self.call(self._on_consuming)

    def flush(self) -> None:
        with self._lock:
            faults, self._unreported = list(self._unreported.values()), {}
        for fault in faults:
            self._hand(fault)

    def _hand(self, fault: Fault) -> None:
        if self._on_fault is None:
            LOG.warning("%s (%s, %d)", fault.message, fault.code, fault.count)
        else:
            self.call(partial(self._on_fault, fault))

    @staticmethod
    def call(hook: Callable[[], object]) -> None:
        try:
            hook()
        except Exception:
            # The application's own mistake: it must not be taken for a fault of the frame at hand.
            LOG.exception("a hook of the consumer raised")
