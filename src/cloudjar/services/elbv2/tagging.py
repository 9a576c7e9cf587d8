"""Tags that a request gives what it makes."""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.services.elbv2 import errors


def asked(req: dict[str, Any]) -> dict[str, str]:
    """The tags of a request. Raises DuplicateTagKeys, TooManyTags, ValidationError."""
    given = req.get("Tags") or ()
    keys = [tag["Key"] for tag in given]
    if len(set(keys)) < len(keys):
        raise AwsError("DuplicateTagKeys", "A tag key was specified more than once.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise errors.validation("Tag keys that begin with 'aws:' are reserved")
    if len(keys) > tags.LIMIT:
        raise AwsError("TooManyTags", "The maximum number of tags has been reached for the resource.")
    return tags.from_list(given)
