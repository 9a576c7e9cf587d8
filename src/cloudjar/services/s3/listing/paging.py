"""What all lists of S3 share: limits, spelling, and where a page begins.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from cloudjar.services.s3 import errors
from cloudjar.services.s3.listing.walks import after_key, after_prefix, rolled

MOST = 1000


def limit_of(asked: int | None, name: str) -> int:
    """How many entries a page may have: never more than a thousand. Raises InvalidArgument."""
    if asked is None:
        return MOST
    if not 0 <= asked < 1 << 31:
        raise errors.invalid_argument(
            f"Argument {name} must be an integer between 0 and 2147483647", name, str(asked)
        )
    return min(asked, MOST)


class Spelled:
    """Spells keys as ``EncodingType`` asks for: as they are, or as in a URL (slashes stay)."""

    def __init__(self, req: Mapping[str, Any]) -> None:
        asked = req.get("EncodingType")
        if asked not in (None, "url"):
            raise errors.invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", asked)
        self._url = asked == "url"

    def __call__(self, text: str) -> str:
        return quote_plus(text, safe="/*") if self._url else text

    @staticmethod
    def after(marker: str, prefix: str, delimiter: str) -> str:
        """The first place after a marker; after all that is rolled up under it, when it is a common prefix."""
        if not marker:
            return ""
        if delimiter and marker.startswith(prefix) and rolled(marker, prefix, delimiter) == marker:
            return after_prefix(marker) or after_key(marker)
        return after_key(marker)
