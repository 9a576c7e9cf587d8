"""Opting in and out.

https://docs.aws.amazon.com/compute-optimizer/latest/APIReference/API_UpdateEnrollmentStatus.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.looking import make_role
from cloudjar.kit.operation import op
from cloudjar.services.compute_optimizer import errors
from cloudjar.services.compute_optimizer.records import Enrollment
from cloudjar.services.compute_optimizer.seeing import LINKED


@op("UpdateEnrollmentStatus")
def update_enrollment_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Opt the account in or out; opting in makes the service-linked role."""
    status = req["status"]
    if status not in ("Active", "Inactive"):
        raise errors.invalid(f"Status {status} cannot be set: choose from ['Active', 'Inactive']")
    if req.get("includeMemberAccounts"):
        raise errors.invalid("Member accounts are not enrolled by their management account here: each opts in.")
    if status == "Active":
        make_role(ctx, LINKED)
    held = ctx.db[Enrollment].get("enrollment")
    if held is None:
        ctx.db[Enrollment].add(Enrollment(status=status, changed=ctx.now))
    elif held.status != status:
        ctx.db[Enrollment].put(replace(held, status=status, changed=ctx.now))
    return {"status": status}


@op("GetEnrollmentStatus")
def get_enrollment_status(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """Whether the account has opted in."""
    held = ctx.db[Enrollment].get("enrollment")
    if held is None:
        return {"status": "Inactive", "memberAccountsEnrolled": False}
    return {"status": held.status, "memberAccountsEnrolled": False, "lastUpdatedTimestamp": held.changed}
