"""What a parameter may be called. Pure.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html#sysman-parameter-name-constraints
"""

from __future__ import annotations

import re

from cloudjar.base import arn as arns
from cloudjar.services.ssm import errors

_NAME = re.compile(r"[A-Za-z0-9_.\-/]+")
_LEVELS = 15
_LONGEST = 1011
"""With the ARN's part before the name."""
_LABEL = re.compile(r"[A-Za-z_.\-][A-Za-z0-9_.\-]*")
_RESERVED = ("aws", "ssm")


def check(name: str, region: str, account: str) -> None:
    """Raise unless a parameter may be made with this name."""
    folded = name.lower().lstrip("/")
    if folded.startswith(_RESERVED):
        if not name.startswith("/"):
            raise errors.bad_prefix()
        raise errors.reserved(name) if folded.startswith("aws") else errors.bad_name()
    if not _NAME.fullmatch(name) or name.endswith("/") or "//" in name:
        raise errors.bad_name()
    if "/" in name and not name.startswith("/"):
        raise errors.not_qualified()
    if name.count("/") > _LEVELS:
        raise errors.too_deep()
    if len(arns.make("ssm", region, account, f"parameter/{name.lstrip('/')}")) > _LONGEST:
        raise errors.invalid(f"Parameter name must be at most {_LONGEST} characters long, its ARN included.")


def is_label(text: str) -> bool:
    """Whether a version may be labelled so."""
    return len(text) <= 100 and bool(_LABEL.fullmatch(text)) and not text.lower().startswith(_RESERVED)
