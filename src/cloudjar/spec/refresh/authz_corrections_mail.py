"""Corrections of SES: an identity is named by the request, of v2 at least; who sends is told by `sending.grants`."""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

_ANY = "arn:${Partition}:ses:${Region}:${Account}:identity/*"


def identities(service: Any, ops: Ops) -> None:
    """Change the table of SES v2 in place: what is in the path is the identity."""
    for operation, entries in ops.items():
        if "EmailIdentity" not in operation or operation == "ListEmailIdentities":
            continue
        for entry in entries:
            for r in entry["r"]:
                if r[0] == "identity" and r[1] == _ANY:
                    r[1] = _ANY.replace("*", "${EmailIdentity}")
                    r[2] &= ~2
