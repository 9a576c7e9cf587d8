"""Identifiers in AWS's own forms; the only place that draws randomness."""

from __future__ import annotations

import os
import secrets
import time
from base64 import b32encode, b64encode
from collections.abc import Iterator

_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_AHEAD = 128
"""Identifiers for which randomness is drawn at once: a call to the system for each costs more than all else of it."""
_drawn: Iterator[bytes] = iter(())


def resource_id(prefix: str) -> str:
    """An EC2-style id: ``vpc-`` and 17 hex digits."""
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


def unique_id(prefix: str) -> str:
    """An IAM unique id of 21 characters: ``AIDA`` users, ``AROA`` roles, ``AGPA`` groups, ``ANPA`` policies."""
    return prefix + "".join(secrets.choice(_ALNUM) for _ in range(21 - len(prefix)))


def access_key_id(prefix: str, account: str) -> str:
    """A 20-character key id; like AWS's, it carries the account number (see `account_of_key`)."""
    value = (int(account) << 7 | 1 << 47) & ((1 << 48) - 1)
    body = b32encode(value.to_bytes(6, "big") + os.urandom(4)).decode()
    return prefix + body[:16]


def secret_access_key() -> str:
    """40 characters, as AWS's."""
    return b64encode(os.urandom(30)).decode()


def _sixteen() -> bytes:
    """16 random bytes that nobody else is given: to take the next is one step, whichever thread does. For names; keys
    are drawn when they are wanted."""
    global _drawn
    found = next(_drawn, None)
    if found is None:
        data = os.urandom(16 * _AHEAD)
        fresh = iter([data[at : at + 16] for at in range(0, len(data), 16)])
        found, _drawn = next(fresh), fresh
    return found


def _forget_drawn() -> None:
    """A child process draws its own."""
    global _drawn
    _drawn = iter(())


os.register_at_fork(after_in_child=_forget_drawn)


def uuid4() -> str:
    """A random UUID in its canonical form; cheaper than `uuid.uuid4` (request ids are made per request)."""
    h = _sixteen().hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def request_id() -> str:
    """A UUID that begins with the time in milliseconds (version 7), so that an index of them grows at its end."""
    h = _sixteen().hex()
    at = f"{time.time_ns() // 1_000_000:012x}"
    return f"{at[:8]}-{at[8:]}-7{h[13:16]}-a{h[17:20]}-{h[20:]}"


def number() -> int:
    """63 random bits."""
    return int.from_bytes(_sixteen()[:8], "big") >> 1


def token(length: int = 32) -> str:
    """Opaque URL-safe text with `length` bytes of entropy."""
    return secrets.token_urlsafe(length)


def mac_address() -> str:
    """A locally administered unicast MAC, with the 02/06 prefix of EC2's interfaces."""
    tail = os.urandom(5)
    return "06:" + ":".join(f"{b:02x}" for b in tail)


def entropy(length: int) -> bytes:
    """Random bytes fit for keys."""
    return os.urandom(length)


def below(n: int) -> int:
    """A uniform integer in [0, n)."""
    return secrets.randbelow(n)
