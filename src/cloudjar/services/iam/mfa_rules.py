"""Time-based one-time passwords (RFC 6238): HMAC-SHA1, steps of 30 seconds, six digits. Pure.

https://www.rfc-editor.org/rfc/rfc6238
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

STEP = 30
LONGEST_NAME = 226
"""Characters of a device's name; what is longer would not fit into a QR code either."""
SEED_BYTES = 40
"""As long as AWS's seeds: 64 characters of Base32 without padding."""
WINDOW = 1
"""How many steps a code may be early or late when somebody signs in."""
SEARCH = 120
"""How many steps around now two consecutive codes are looked for: an hour."""
TRIES = 5
"""Wrong codes in a row after which a device rests."""
REST = timedelta(minutes=1)


def step_at(real: datetime) -> int:
    """The number of the step that an instant lies in."""
    return int(real.timestamp()) // STEP


def code_at(seed: bytes, step: int) -> str:
    """The code that a device shows during a step."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def matching_step(seed: bytes, code: str, now: int, drift: int, after: int) -> int | None:
    """The step whose code it is, near `now` on the device's clock and later than the last one used; or None."""
    found = None
    for step in range(now + drift - WINDOW, now + drift + WINDOW + 1):
        if hmac.compare_digest(code_at(seed, step), code) and step > after:
            found = step  # no early exit: the time taken says nothing
    return found


def consecutive_steps(seed: bytes, first: str, second: str, now: int) -> int | None:
    """The later step of two codes that follow each other within an hour of `now`, the nearest one; or None."""
    for away in range(SEARCH + 1):
        for step in {now - away, now + away}:
            if code_at(seed, step) == second and code_at(seed, step - 1) == first:
                return step
    return None


def drift_of(step: int, now: int) -> int:
    """How far a device's clock is off, in steps, when it showed the code of `step` now. What typing takes is not
    drift; codes entered much too late leave the device out of step, as on AWS."""
    off = step - now
    return 0 if -2 <= off <= WINDOW else off


def base32(seed: bytes) -> str:
    """The seed as people and QR codes carry it."""
    return b32encode(seed).decode()


def uri(name: str, account: str, seed: bytes) -> str:
    """The ``otpauth`` address that authenticator apps scan."""
    query = urlencode({"secret": base32(seed), "issuer": "Amazon Web Services"}, quote_via=quote)
    return f"otpauth://totp/{quote('Amazon Web Services')}:{quote(f'{name}@{account}')}?{query}"
