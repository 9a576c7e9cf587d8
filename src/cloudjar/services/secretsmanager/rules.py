"""Names, ARNs and tokens of secrets. Pure."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.kit import tags
from cloudjar.services.secretsmanager import errors

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_SUFFIX = string.ascii_letters + string.digits
_COMPLETE = re.compile(r".+-[A-Za-z0-9]{6}")
TAGS = 50
SHORTEST, LONGEST, DEFAULT_WINDOW = 7, 30, 30
"""Days of a recovery window."""


class Named(NamedTuple):
    """A secret as a request names it: account and region of an ARN ("" for a mere name), then what it is called."""

    account: str
    region: str
    text: str

    @property
    def may_be_id(self) -> bool:
        """Whether it can be the end of a complete ARN."""
        return bool(self.account) and _COMPLETE.fullmatch(self.text) is not None


def named(secret_id: str) -> Named:
    """Read a SecretId: a name, an ARN, or an ARN without its last six characters."""
    parsed = arns.parse(secret_id)
    if parsed is None or parsed.service != "secretsmanager" or parsed.type != "secret":
        return Named("", "", secret_id)
    return Named(parsed.account, parsed.region, parsed.name)


def check_name(name: str) -> None:
    """Raise unless a new secret may be called so."""
    if not _NAME.fullmatch(name):
        raise errors.bad_name()


def suffix(below: Callable[[int], int]) -> str:
    """The six random characters of an ARN."""
    return "".join(_SUFFIX[below(len(_SUFFIX))] for _ in range(6))


def value_of(req: Mapping[str, Any]) -> tuple[bytes, bool] | None:
    """(the value as bytes, whether it is binary), or None when the request has none."""
    text, data = req.get("SecretString"), req.get("SecretBinary")
    if text is not None and data is not None:
        raise errors.two_values()
    if data is not None:
        return bytes(data), True
    return None if text is None else (str(text).encode(), False)


def given_tags(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The tags of a request; the model lets pass those without a key."""
    found = list(items)
    if any(not item.get("Key") for item in found):
        raise errors.invalid("Each tag must have a Key.")
    return tags.from_list(found)


def check_tags(given: Iterable[str]) -> None:
    """Raise for keys that AWS keeps to itself, and for too many."""
    keys = list(given)
    for key in keys:
        if key.lower().startswith("aws:"):
            raise errors.invalid(f"Tag keys can't start with the reserved prefix aws: {key}")
    if len(keys) > TAGS:
        raise errors.limit(f"You can attach up to {TAGS} tags to a secret.")


def window(req: Mapping[str, Any]) -> int | None:
    """Days until a deleted secret is gone; None for at once."""
    days, at_once = req.get("RecoveryWindowInDays"), req.get("ForceDeleteWithoutRecovery")
    if at_once and days is not None:
        raise errors.invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if at_once:
        return None
    if days is None:
        return DEFAULT_WINDOW
    if not SHORTEST <= days <= LONGEST:
        raise errors.invalid(
            f"The RecoveryWindowInDays value must be between {SHORTEST} and {LONGEST} days (inclusive)."
        )
    return int(days)
