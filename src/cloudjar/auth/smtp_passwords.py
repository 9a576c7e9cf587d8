"""Passwords of SES's SMTP endpoints: made of a secret access key, for one region; the user name is the key's id.

https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache

_VERSION = 0x04
_STEPS = ("ses", "aws4_request", "SendRawEmail")


@lru_cache(maxsize=1024)
def password(secret: str, region: str) -> str:
    """The password of a secret access key in a region."""
    made = f"AWS4{secret}".encode()
    for step in ("11111111", region, *_STEPS):
        made = hmac.new(made, step.encode(), hashlib.sha256).digest()
    return base64.b64encode(bytes([_VERSION]) + made).decode()


def region_of(said: str, secret: str, regions: Iterable[str]) -> str:
    """The one of `regions` in which `said` is the password; "" when there is none."""
    found = ""
    for region in regions:
        if hmac.compare_digest(password(secret, region).encode(), said.encode()):
            found = region
    return found
