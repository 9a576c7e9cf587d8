"""What an OpenID Connect provider may be. Pure.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from cloudjar.services.iam import errors

CLIENT_IDS = 100
THUMBPRINTS = 5
_THUMBPRINT = re.compile(r"[0-9a-fA-F]{40}", re.ASCII)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.\-]*[a-z0-9])?(:\d{1,5})?", re.ASCII | re.IGNORECASE)
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/%\-]*", re.ASCII)


def issuer(url: str) -> str:
    """An issuer's address without its scheme; raises InvalidInput. Unlike AWS's, it may have a port: issuers that run
    beside a jar usually have one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise errors.invalid_input("Invalid Open ID Connect Provider URL") from None
    fit = _HOST.fullmatch(parts.netloc) and _PATH.fullmatch(parts.path)
    if parts.scheme != "https" or not url.startswith("https://") or not fit or url != f"https://{_rest(url)}":
        raise errors.invalid_input("Invalid Open ID Connect Provider URL")
    if "?" in url or "#" in url:
        raise errors.invalid_input("Invalid Open ID Connect Provider URL")
    return _rest(url)


def _rest(url: str) -> str:
    return url.removeprefix("https://")


def thumbprints(given: Sequence[str]) -> tuple[str, ...]:
    """Thumbprints in lower case; raises InvalidInput, LimitExceeded."""
    if len(given) > THUMBPRINTS:
        raise errors.invalid_input(f"Thumbprint list must contain fewer than {THUMBPRINTS} entries.")
    if not all(_THUMBPRINT.fullmatch(text) for text in given):
        raise errors.invalid_input("Invalid thumbprint: a SHA-1 hash in 40 hexadecimal digits is wanted.")
    return tuple(dict.fromkeys(text.lower() for text in given))


def client_ids(given: Sequence[str]) -> tuple[str, ...]:
    """Client ids, each once; raises LimitExceeded."""
    unique = tuple(dict.fromkeys(given))
    if len(unique) > CLIENT_IDS:
        raise errors.quota("ClientIdsPerOpenIdConnectProvider", CLIENT_IDS)
    return unique
