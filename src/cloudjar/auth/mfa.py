"""What signing in asks of IAM's MFA devices: a port, so that STS knows nothing of how they are kept."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from cloudjar.base.caller import Caller


class Verdict(Enum):
    """How a one-time code came out."""

    RIGHT = "right"
    WRONG = "wrong"
    """Not the device's code now, or one that was used already."""
    UNKNOWN = "unknown"
    """The caller has no such device."""
    TOO_MANY = "too many"
    """So many wrong codes came that no further one is looked at for a while."""


class Mfa(Protocol):
    """The devices as seen from here."""

    def verify(self, caller: Caller, serial: str, code: str) -> Verdict:
        """Whether `code` is right for the caller's own device now; a right one is used up by asking."""
        ...
