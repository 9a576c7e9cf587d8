"""Accounts: made, moved, closed, and let go.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.services.organizations import errors, limits, views
from cloudjar.services.organizations.access import operation
from cloudjar.services.organizations.life import CREATION, HANDSHAKE, leave, start_closing
from cloudjar.services.organizations.naming import new_id
from cloudjar.services.organizations.ops.tagging import checked_tags
from cloudjar.services.organizations.ops.units import need_parent
from cloudjar.services.organizations.records import CreateRequest, Handshake, Member
from cloudjar.services.organizations.tree import Org, of_account

ROLE = "OrganizationAccountAccessRole"


def need_member(org: Org, number: str) -> Member:
    """An account of the organization."""
    found = org.db[Member].get(number)
    if found is None:
        raise errors.missing("account")
    return found


def taken(org: Org) -> int:
    """How many of the accounts that an organization may have are spoken for: members, closed ones too, those being
    made, and open invitations."""
    open_ = sum(1 for h in org.db[Handshake].all() if h.kind == "invite" and h.state in HANDSHAKE.moves)
    return org.db[Member].count() + org.db[CreateRequest].count(state=CREATION.start) + open_


@operation("CreateAccount")
def create_account(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Ask for a new account. The answer is IN_PROGRESS; whether the address is free is found out afterwards."""
    role = req.get("RoleName") or ROLE
    if role.startswith("AWSServiceRoleFor"):
        raise errors.invalid("INVALID_ROLE_NAME", "You provided a role name that isn't valid.")
    if org.db[CreateRequest].count(state=CREATION.start) >= limits.CREATIONS_AT_ONCE:
        raise errors.constraint(
            "ACCOUNT_CREATION_RATE_LIMIT_EXCEEDED",
            "You have exceeded the number of accounts that can be in progress at a time.",
        )
    if taken(org) >= limits.accounts(ctx, org.management):
        raise errors.constraint(
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of AWS Accounts."
        )
    request = CreateRequest(
        id=new_id("car", 32),
        org=org.id,
        name=req["AccountName"],
        email=req["Email"],
        role=role,
        bills=req.get("IamUserAccessToBilling") != "DENY",
        requested=ctx.now,
        tags=checked_tags(req.get("Tags") or ()),
    )
    return {"CreateAccountStatus": views.show_request(org.db[CreateRequest].add(request))}


@operation("DescribeCreateAccountStatus", by="reader")
def describe_create_account_status(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """What became of an account that was asked for."""
    found = org.db[CreateRequest].get(req["CreateAccountRequestId"])
    if found is None:
        raise errors.missing("status")
    return {"CreateAccountStatus": views.show_request(found)}


@operation("ListCreateAccountStatus", by="reader")
def list_create_account_status(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """All that were asked for, of some states when they are named."""
    states = req.get("States")
    found = [one for one in org.db[CreateRequest].all() if not states or one.state in states]
    return {"CreateAccountStatuses": [views.show_request(one) for one in found]}


@operation("DescribeAccount", by="reader")
def describe_account(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """One account."""
    return {"Account": views.show_account(org, need_member(org, req["AccountId"]))}


@operation("ListAccounts", by="reader")
def list_accounts(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Every account, closed ones too until they are gone."""
    return {"Accounts": [views.show_account(org, member) for member in org.members()]}


@operation("MoveAccount")
def move_account(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Put an account below another OU or the root."""
    member = need_member(org, req["AccountId"])
    source = need_parent(org, req["SourceParentId"], "source")
    destination = need_parent(org, req["DestinationParentId"], "destination")
    if member.parent == destination.id:
        raise errors.duplicate_account()
    if member.parent != source.id:
        raise errors.missing("source")
    org.db[Member].put(replace(member, parent=destination.id))
    return {}


@operation("CloseAccount")
def close_account(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Close a member account: PENDING_CLOSURE, soon SUSPENDED, gone after ninety days."""
    member = need_member(org, req["AccountId"])
    if not org.has_all_features:
        raise needs_all_features()
    if member.id == org.management:
        raise errors.constraint(
            "CANNOT_CLOSE_MANAGEMENT_ACCOUNT", "You attempted to close the management account."
        )
    if accounts.described(ctx.db, member.id).state != "ACTIVE":
        raise errors.already_closed()
    _check_closures(ctx, org)
    start_closing(ctx, org, member)
    return {}


def _check_closures(ctx: Ctx, org: Org) -> None:
    members = org.members()
    closing = [m for m in members if m.closing is not None]
    pending = sum(1 for m in closing if accounts.described(ctx.db, m.id).state == "PENDING_CLOSURE")
    if pending >= limits.CLOSURES_AT_ONCE:
        raise errors.constraint(
            "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED",
            "You have exceeded the number of accounts that you can close at a time.",
        )
    month = ctx.now - timedelta(days=30)
    if sum(1 for m in closing if m.closing is not None and m.closing > month) >= limits.closures(len(members)):
        raise errors.constraint(
            "CLOSE_ACCOUNT_QUOTA_EXCEEDED", "You have exceeded close account quota for the past 30 days."
        )


def needs_all_features() -> Exception:
    """The refusal of what consolidated billing alone does not have."""
    return errors.constraint(
        "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
        "This operation requires the organization to be configured to support all features.",
    )


@operation("RemoveAccountFromOrganization")
def remove_account_from_organization(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Make a member a standalone account."""
    member = need_member(org, req["AccountId"])
    if member.id == org.management:
        raise errors.master_cannot_leave()
    _let_go(ctx, org, member)
    return {}


@operation("LeaveOrganization", by="member")
def leave_organization(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The caller's account leaves on its own."""
    if ctx.account == org.management:
        raise errors.master_cannot_leave()
    found = of_account(ctx.db, ctx.account)
    assert found is not None
    _let_go(ctx, org, found[1])
    return {}


def _let_go(ctx: Ctx, org: Org, member: Member) -> None:
    if member.closing is not None:
        raise errors.constraint(
            "ACCOUNT_CANNOT_LEAVE_ORGANIZATION", "A closed account leaves the organization when it is closed for ever."
        )
    if member.delegations:
        raise errors.constraint(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You attempted to remove an account that is registered as a delegated administrator for a service "
            "integrated with your organization.",
        )
    if member.method == "CREATED" and ctx.now < member.joined + limits.STAY:
        raise errors.constraint(
            "WAIT_PERIOD_ACTIVE",
            "After you create an account, you must wait until at least seven days before you can remove it from the "
            "organization.",
        )
    leave(org, member)
