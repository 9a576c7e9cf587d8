"""What happens in its own time: accounts come into being and are closed, handshakes expire.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html
"""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.base.caller import root
from cloudjar.base.errors import AwsError
from cloudjar.kit import accounts
from cloudjar.kit.accounts import Account
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Machine, Step, reconciler
from cloudjar.services.organizations import views
from cloudjar.services.organizations.managed import FULL_ACCESS
from cloudjar.services.organizations.records import CreateRequest, Handshake, Member, Organization
from cloudjar.services.organizations.tree import Org

log = logging.getLogger("cloudjar.organizations")

LINKED_ROLE = "AWSServiceRoleForOrganizations"
PRINCIPAL = "organizations.amazonaws.com"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
POST_CLOSURE = timedelta(days=90)
KEPT = timedelta(days=30)
"""How long a handshake that has come to its end can still be seen."""

CREATION = Machine(CreateRequest, start="IN_PROGRESS", moves="IN_PROGRESS -> SUCCEEDED | FAILED")

HANDSHAKE = Machine(
    Handshake,
    start="REQUESTED",
    moves="""
    REQUESTED -> OPEN | CANCELED | EXPIRED
    OPEN -> ACCEPTED | DECLINED | CANCELED | EXPIRED
    """,
)

ACCOUNT = Machine(
    Account,
    start="ACTIVE",
    moves="""
    ACTIVE -> PENDING_CLOSURE
    PENDING_CLOSURE -> SUSPENDED
    SUSPENDED -> CLOSED
    """,
)


# -- joining and leaving ------------------------------------------------------------------------------------------


def join(ctx: Ctx, org: Org, member: Member) -> Member:
    """Put an account below the root, with what every account has attached from its first moment."""
    added = org.db[Member].add(member)
    attach_defaults(ctx, org, added.id)
    return added


def attach_defaults(ctx: Ctx, org: Org, target: str) -> None:
    """Attach AWS's own policies of the enabled types: a new node forbids nothing."""
    for type_, policy in FULL_ACCESS.items():
        if type_ in org.root.types:
            org.attach(policy, target, ctx.now)


def leave(org: Org, member: Member) -> None:
    """Take an account out of the tree."""
    org.strip(member.id)
    org.db[Member].drop(member)


# -- creation -----------------------------------------------------------------------------------------------------


class AccountError(Exception):
    """An account that cannot be; `reason` is one of CreateAccountFailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@reconciler(CreateRequest)
def create(step: Step, request: CreateRequest | None) -> None:
    """Open the account, make the roles in it, let it join: all or nothing."""
    if request is None or request.state != CREATION.start:
        return
    with step.world.state.database.transaction():
        now = step.db[CreateRequest].get(request.id)
        record = step.db[Organization].get(request.org)
        if now is None or now.state != CREATION.start or record is None:
            return
        org = Org(step.db, record)
        try:
            with step.world.state.database.transaction():
                number = _open(step.ctx, org, now)
        except AccountError as error:
            done = CREATION.move(step.ctx, now, "FAILED", failure=error.reason, completed=step.ctx.now)
        else:
            done = CREATION.move(step.ctx, now, "SUCCEEDED", number=number, completed=step.ctx.now)
        _tell(step.ctx, "CreateAccountResult", {"createAccountStatus": _plain(views.show_request(done))})


def _open(ctx: Ctx, org: Org, request: CreateRequest) -> str:
    if accounts.by_email(ctx.db, request.email) is not None:
        raise AccountError("EMAIL_ALREADY_EXISTS")
    plan = accounts.described(ctx.db, org.management).plan
    account = accounts.open_account(ctx.db, name=request.name, email=request.email, plan=plan, now=ctx.now)
    if not request.bills:
        accounts.save(ctx.db, replace(account, users_see_bills=False))
    # Before it joins, so that no policy of the organization is in the way of what makes it governable.
    try:
        _make_roles(ctx, org, account.id, request.role)
    except AwsError as error:
        log.warning("the roles of a new account cannot be made: %s", error)
        raise AccountError("INTERNAL_FAILURE") from None
    member = Member(
        id=account.id, org=org.id, parent=org.record.root, joined=ctx.now, method="CREATED", tags=request.tags
    )
    join(ctx, org, member)
    return account.id


def _make_roles(ctx: Ctx, org: Org, account: str, name: str) -> None:
    inside = ctx.at(account, "")
    owner = root(account)
    linked = {"AWSServiceName": PRINCIPAL}
    inside.call("iam", "CreateServiceLinkedRole", linked, caller=owner, via=PRINCIPAL)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{org.management}:root"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = {"RoleName": name, "AssumeRolePolicyDocument": trust}
    inside.call("iam", "CreateRole", role, caller=owner, via=PRINCIPAL)
    attached = {"RoleName": name, "PolicyArn": ADMINISTRATOR}
    inside.call("iam", "AttachRolePolicy", attached, caller=owner, via=PRINCIPAL)


def _plain(status: dict[str, Any]) -> dict[str, Any]:
    """As events spell it: members in lower camel case, nothing that is absent."""
    return {key[0].lower() + key[1:]: str(value) for key, value in status.items() if value is not None}


def _tell(ctx: Ctx, name: str, details: dict[str, Any]) -> None:
    """An event of the service's own in the management account's trail."""
    ctx.at(ctx.account, "us-east-1").service_event("organizations", name, details=details)


# -- closing ------------------------------------------------------------------------------------------------------


@reconciler(Member)
def close(step: Step, member: Member | None) -> None:
    """A closed account is suspended at once, and leaves the organization for ever after ninety days."""
    if member is None or member.closing is None:
        return
    due = member.closing + POST_CLOSURE
    with step.world.state.database.transaction():
        now = step.db[Member].get(member.id)
        record = step.db[Organization].get(member.org)
        account = accounts.described(step.db, member.id)
        if now is None or record is None:
            return
        if account.state == "PENDING_CLOSURE":
            account = ACCOUNT.move(step.ctx, account, "SUSPENDED", closed=step.ctx.now)
            closed = {"accountId": account.id, "state": "SUCCEEDED", "requestedTimestamp": str(now.closing)}
            _tell(step.ctx, "CloseAccountResult", {"closeAccountStatus": closed})
        if account.state == "SUSPENDED" and step.ctx.now >= due:
            ACCOUNT.move(step.ctx, account, "CLOSED")
            leave(Org(step.db, record), now)
            return
    step.again("post-closure", due)


# -- handshakes ---------------------------------------------------------------------------------------------------


@reconciler(Handshake)
def expire(step: Step, handshake: Handshake | None) -> None:
    """An unanswered handshake expires; one at its end is forgotten after a month."""
    if handshake is None:
        return
    over = handshake.state not in HANDSHAKE.moves
    due = (handshake.ended or handshake.expires) + KEPT if over else handshake.expires
    if step.ctx.now < due:
        step.again("expiry", due)
        return
    with step.world.state.database.transaction():
        now = step.db[Handshake].get(handshake.id)
        if now is None or now.state != handshake.state:
            return
        if over:
            step.db[Handshake].drop(now)
        else:
            HANDSHAKE.move(step.ctx, now, "EXPIRED", ended=step.ctx.now)


def start_closing(ctx: Ctx, org: Org, member: Member) -> None:
    """Mark an account for closure: the reconciler does the rest."""
    account = accounts.described(ctx.db, member.id)
    saved = accounts.save(ctx.db, account)
    ACCOUNT.move(ctx, saved, "PENDING_CLOSURE")
    org.db[Member].put(replace(member, closing=ctx.now))
