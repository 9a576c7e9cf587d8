"""Corrections of SES: an identity is named by the request, of v2 at least; who sends is told by `sending.grants`.

A list of suppressed addresses is the account's, or a tenant's where the request names one. A tenant's ARN ends in its
id, which the request does not tell.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html
"""

from __future__ import annotations

from typing import Any

Ops = dict[str, list[dict[str, Any]]]

_SES = "arn:${Partition}:ses:${Region}:${Account}:"
_ANY = _SES + "identity/*"
_TENANT = ["tenant", ["by", "ses:tenant", "TenantName", _SES + "tenant/${value}/*"], 0]


def identities(service: Any, ops: Ops) -> None:
    """Change the table of SES v2 in place: what is in the path is the identity; a tenant may be named."""
    for operation, entries in ops.items():
        if "SuppressedDestination" in operation:
            entries[0]["r"].append(list(_TENANT))
        if "EmailIdentity" not in operation or operation == "ListEmailIdentities":
            continue
        for entry in entries:
            for r in entry["r"]:
                if r[0] == "identity" and r[1] == _ANY:
                    r[1] = _ANY.replace("*", "${EmailIdentity}")
                    r[2] &= ~2
