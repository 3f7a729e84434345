"""Checks of a message, which raise an error that says what is wrong. Pure."""
from __future__ import annotations

from typing import Any, Mapping, Optional

from .errors import ConsumerError


def integer(data: Mapping[str, Any], name: str, minimum: Optional[int] = None, where: str = "event/data") -> int:
    value = data.get(name)
    # JSON has one kind of number: 1e3 is an integer there.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"{where}/{name} is not an integer")
    require(minimum is None or value >= minimum, f"{where}/{name} is below {minimum}")
    return value


def require(condition: bool, problem: str) -> None:
    if not condition:
        raise invalid(problem)


def invalid(problem: str) -> ConsumerError:
    return ConsumerError("invalid-message", f"a message is not a frame announcement: {problem}")
