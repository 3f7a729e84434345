"""A picture that several services must have leaves Redis with the last of them, in one step. See docs/contract.md."""
from __future__ import annotations

from typing import Mapping, NamedTuple, Optional, Tuple


class Share(NamedTuple):
    """One service's part in a frame."""

    queue: str
    required: Tuple[str, ...]
    """Queues whose services must all be done with it."""


# As src/contract/sharing.ts has it, where it is explained.
SHARE_SCRIPT = """
if redis.call('SISMEMBER', KEYS[2], ARGV[2]) == 1 then return false end
local picture = redis.pcall(ARGV[1] == 'done' and 'EXISTS' or 'GET', KEYS[1])
if ARGV[1] == 'get' or not picture or picture == 0 then return picture end
if type(picture) == 'table' then return picture end
redis.call('SADD', KEYS[2], ARGV[2])
for i = 3, #ARGV do
  if redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 0 then
    local life = redis.call('PTTL', KEYS[1])
    if life > 0 then redis.call('PEXPIRE', KEYS[2], life) end
    return picture
  end
end
redis.call('UNLINK', KEYS[1], KEYS[2])
return picture"""


def share_of(recipients: Optional[Mapping[str, str]], queue: str) -> Optional[Share]:
    """None where the queue's consumers alone have the frame.

    >>> share_of({"vigil.plates": "after", "vigil.people": "keep"}, "vigil.plates")
    Share(queue='vigil.plates', required=('vigil.plates', 'vigil.people'))
    """
    return None if recipients is None else Share(queue, tuple(recipients))


def removal_of(recipients: Optional[Mapping[str, str]], queue: str, option: str) -> str:
    """When the consumers of ``queue`` are done with a picture: as the message says, else as their option.

    >>> removal_of({"vigil.plates": "keep", "vigil.detection": "any"}, "vigil.plates", "getdel")
    'keep'
    >>> removal_of({"vigil.plates": "keep", "vigil.detection": "any"}, "vigil.detection", "getdel")
    'getdel'
    """
    configured = (recipients or {}).get(queue, "any")
    return option if configured == "any" else configured
