"""Tags that a request gives what it makes."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import tags
from cloudjar.services.rds import errors


def asked(req: dict[str, Any], kind: str = "") -> dict[str, str]:
    """The tags of a request; `kind` is what its ``TagSpecifications`` call the thing. Raises InvalidParameterValue."""
    given = list(req.get("Tags") or ())
    for specified in req.get("TagSpecifications") or ():
        if kind and specified.get("ResourceType") == kind:
            given += specified.get("Tags") or ()
    return checked(given)


def checked(given: list[dict[str, Any]]) -> dict[str, str]:
    """Tags as they are stored."""
    found: dict[str, str] = {}
    for tag in given:
        key = tag.get("Key") or ""
        if not key or key.lower().startswith(("aws:", "rds:")) or len(key) > 128 or len(tag.get("Value") or "") > 256:
            raise errors.invalid(f"Invalid tag key: '{key}'. Keys cannot be empty or begin with 'aws:' or 'rds:'.")
        if key in found:
            raise errors.invalid(f"Duplicate tag key: {key}")
        found[key] = tag.get("Value") or ""
    if len(found) > tags.LIMIT:
        raise errors.invalid(f"There can be no more than {tags.LIMIT} tags.")
    return found
