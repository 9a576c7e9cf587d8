"""What a parameter's value may be: by tier, by data type, by a pattern of its owner's. Pure.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-data-types.html
"""

from __future__ import annotations

import re

from cloudjar.services.ssm import errors
from cloudjar.services.ssm.records import ADVANCED, LIST, SECURE, STANDARD

SIZES = {STANDARD: 4096, ADVANCED: 8192}
"""Bytes of a value."""
TEXT, IMAGE = "text", "aws:ec2:image"
_NOT_BUILT = frozenset(
    ("aws:ssm:integration", "aws:region", "aws:account:id", "boolean", "integer", "float", "binary", "hostname",
     "email", "ipv4-address", "ipv6-address", "url", "json", "jsonc")
)  # fmt: skip
_PATTERN_SECONDS = 0.2
"""How long a value is held against a pattern: a hostile one must not keep the server busy."""


def size(value: str) -> int:
    """What counts against a tier's limit."""
    return len(value.encode())


def check(value: str, kind: str, tier: str) -> None:
    """Raise unless a parameter of the type and tier can have the value."""
    if not value:
        raise errors.invalid(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length "
            "greater than or equal to 1."
        )
    if size(value) > SIZES[tier]:
        raise errors.too_large(tier, SIZES[tier])
    if re.search(r"\{\{.*\}\}", value, re.DOTALL):
        raise errors.invalid("Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.")
    if kind == LIST and any(not item for item in value.split(",")):
        raise errors.invalid("The items of a StringList must not be empty.")


def check_data_type(data_type: str, kind: str, value: str) -> None:
    """Raise for data types that are none, or do not go with the type; an image's id must look like one."""
    if data_type in _NOT_BUILT:
        raise errors.not_built(f"The data type {data_type} of ssm:PutParameter")
    if data_type not in (TEXT, IMAGE):
        raise errors.invalid(
            f"The following data type is not supported: {data_type} (Data type names are all lowercase.)"
        )
    if data_type == IMAGE and kind == SECURE:
        raise errors.invalid(f"The data type {IMAGE} is not supported for parameters of type {SECURE}.")


def check_pattern(pattern: str, value: str) -> None:
    """Raise unless the pattern is one and admits the whole value."""
    import regex  # some 30 ms, for the few parameters that have a pattern

    try:
        found = regex.compile(pattern).fullmatch(value, timeout=_PATTERN_SECONDS)
    except (regex.error, TimeoutError, RecursionError):
        raise errors.bad_pattern() from None
    if found is None:
        raise errors.pattern_mismatch(pattern)
