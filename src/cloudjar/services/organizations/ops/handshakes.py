"""Agreements between accounts: invitations, and the step from consolidated billing to all features.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_invites.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_org_support-all-features.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.organizations import errors, limits, views
from cloudjar.services.organizations.access import grants_of, is_asked, is_party, operation
from cloudjar.services.organizations.life import HANDSHAKE, join
from cloudjar.services.organizations.naming import new_id
from cloudjar.services.organizations.ops.accounts import taken
from cloudjar.services.organizations.ops.organization import make_linked_role
from cloudjar.services.organizations.ops.tagging import checked_tags
from cloudjar.services.organizations.records import Handshake, Member, Organization
from cloudjar.services.organizations.tree import Org, of_account

INVITE, ENABLE, APPROVE = "invite", "enable_all_features", "approve_all_features"


# -- finding ------------------------------------------------------------------------------------------------------


def _org_of(ctx: Ctx, handshake: Handshake) -> Org:
    record = ctx.db.at(handshake.account, "")[Organization].get(handshake.org)
    assert record is not None, "a handshake without its organization"
    return Org(ctx.db, record)


def _need(ctx: Ctx, id_: str) -> Handshake:
    """A handshake that the caller's account is a party to."""
    found = ctx.db.find(Handshake, id_)
    if found is None or not is_party(ctx, found):
        raise errors.missing("handshake")
    return found


def _need_as_target(ctx: Ctx, id_: str) -> Handshake:
    found = _need(ctx, id_)
    if not is_asked(ctx, found):
        raise errors.not_permitted()
    return found


def _move(ctx: Ctx, handshake: Handshake, to: str) -> Handshake:
    """Bring a handshake to its end; raises AWS's answer when it is there, or at another one."""
    if handshake.state == to:
        raise errors.handshake_in_state(to)
    if to not in HANDSHAKE.moves.get(handshake.state, ()):
        raise errors.handshake_over(handshake.state)
    return HANDSHAKE.move(ctx, handshake, to, ended=ctx.now)


def _answer(org: Org, handshake: Handshake) -> dict[str, Any]:
    return {"Handshake": views.show_handshake(org, handshake)}


# -- asking -------------------------------------------------------------------------------------------------------


@operation("InviteAccountToOrganization")
def invite_account_to_organization(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Ask an existing account to join; it has fifteen days to answer."""
    target = _target(ctx, req["Target"])
    known = accounts.by_email(ctx.db, target) if "@" in target else accounts.described(ctx.db, target)
    if known is not None and org.db[Member].get(known.id) is not None:
        raise errors.duplicate_account()
    open_ = [h for h in org.db[Handshake].all(target=target) if h.kind == INVITE and h.state in HANDSHAKE.moves]
    if open_:
        raise errors.duplicate_handshake()
    if _migration(org) is not None:
        raise errors.handshake_constraint(
            "INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES",
            "You can't issue new invitations to join an organization while it's in the process of enabling all "
            "features.",
        )
    if taken(org) >= limits.accounts(ctx, org.management):
        raise errors.handshake_constraint(
            "ACCOUNT_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of AWS Accounts."
        )
    _check_rate(ctx, org)
    handshake = Handshake(
        id=new_id("h", 10),
        org=org.id,
        kind=INVITE,
        target=target,
        requested=ctx.now,
        expires=ctx.now + limits.INVITATION,
        state="OPEN",
        notes=req.get("Notes") or "",
        tags=checked_tags(req.get("Tags") or ()),
    )
    return _answer(org, org.db[Handshake].add(handshake))


def _target(ctx: Ctx, party: dict[str, Any]) -> str:
    """An account number, or an address in lower case."""
    text = str(party["Id"]).strip()
    if party["Type"] == "ACCOUNT" and len(text) == 12 and text.isdecimal():
        return text
    if party["Type"] == "EMAIL":
        name, at, domain = text.partition("@")
        if not (name and at and "." in domain) or any(c.isspace() for c in text):
            raise errors.invalid(
                "INVALID_EMAIL_ADDRESS_TARGET", "You specified an invalid email address for the invited account owner."
            )
        return text.lower()
    raise errors.invalid(
        "INVALID_PARTY_TYPE_TARGET",
        "You specified the wrong type of entity (account, organization, or email) as a party.",
    )


def _check_rate(ctx: Ctx, org: Org) -> None:
    day = ctx.now - timedelta(days=1)
    sent = sum(1 for h in org.db[Handshake].all() if h.requested > day and h.state != "ACCEPTED")
    if sent >= limits.HANDSHAKES_A_DAY:
        raise errors.handshake_constraint(
            "HANDSHAKE_RATE_LIMIT_EXCEEDED",
            "You attempted to exceed the number of handshakes that you can send in one day.",
        )


def _migration(org: Org) -> Handshake | None:
    """The step to all features that is under way."""
    return next((h for h in org.db[Handshake].all() if h.kind == ENABLE and h.state in HANDSHAKE.moves), None)


@operation("EnableAllFeatures")
def enable_all_features(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Begin the step to all features: every account that was invited must approve, then the management account does."""
    if org.has_all_features:
        raise errors.handshake_constraint(
            "ORGANIZATION_ALREADY_HAS_ALL_FEATURES",
            "The handshake request is invalid because the organization has already enabled all features.",
        )
    if _migration(org) is not None:
        raise errors.handshake_constraint(
            "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION",
            "The handshake request is invalid because the organization has already started the process to enable all "
            "features.",
        )
    invited = [m for m in org.members() if m.method == "INVITED" and m.id != org.management]
    whole = _feature_handshake(ctx, org, ENABLE, org.management, "REQUESTED" if invited else "OPEN")
    for member in invited:
        _feature_handshake(ctx, org, APPROVE, member.id, "OPEN", whole.id)
    return _answer(org, whole)


def _feature_handshake(ctx: Ctx, org: Org, kind: str, target: str, state: str, parent: str = "") -> Handshake:
    expires = ctx.now + limits.ALL_FEATURES
    return org.db[Handshake].add(
        Handshake(
            id=new_id("h", 10), org=org.id, kind=kind, target=target, requested=ctx.now, expires=expires, state=state,
            parent=parent,
        )
    )  # fmt: skip


# -- answering ----------------------------------------------------------------------------------------------------


@op("AcceptHandshake", access=grants_of("AcceptHandshake"))
def accept_handshake(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Agree: an invited account joins, an approval counts, and the last one brings all features."""
    handshake = _need_as_target(ctx, req["HandshakeId"])
    org = _org_of(ctx, handshake)
    after = {INVITE: _joined, APPROVE: _approved, ENABLE: _enabled}[handshake.kind]
    moved = _move(ctx, handshake, "ACCEPTED")
    after(ctx, org, moved)
    return _answer(_org_of(ctx, moved), moved)


def _joined(ctx: Ctx, org: Org, handshake: Handshake) -> None:
    if of_account(ctx.db, ctx.account) is not None:
        raise errors.handshake_constraint(
            "ALREADY_IN_AN_ORGANIZATION",
            "The handshake request is invalid because the invited account is already a member of an organization.",
        )
    if org.has_all_features:
        make_linked_role(ctx)
    accounts.save(ctx.db, accounts.described(ctx.db, ctx.account))
    member = Member(
        id=ctx.account, org=org.id, parent=org.record.root, joined=ctx.now, method="INVITED", tags=handshake.tags
    )
    join(ctx, org, member)


def _approved(ctx: Ctx, org: Org, handshake: Handshake) -> None:
    """The management account's turn comes when everybody has approved."""
    whole = org.db[Handshake].get(handshake.parent)
    parts = [h for h in org.db[Handshake].all() if h.parent == handshake.parent]
    if whole is not None and whole.state == "REQUESTED" and all(h.state == "ACCEPTED" for h in parts):
        HANDSHAKE.move(ctx, whole, "OPEN")


def _enabled(ctx: Ctx, org: Org, handshake: Handshake) -> None:
    make_linked_role(ctx)
    org.db[Organization].put(replace(org.record, features="ALL"))


@op("DeclineHandshake", access=grants_of("DeclineHandshake"))
def decline_handshake(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Say no; only who was asked can."""
    handshake = _need_as_target(ctx, req["HandshakeId"])
    return _answer(_org_of(ctx, handshake), _move(ctx, handshake, "DECLINED"))


@operation("CancelHandshake")
def cancel_handshake(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Take back what was asked; what hangs on it is taken back too."""
    handshake = org.db[Handshake].get(req["HandshakeId"])
    if handshake is None:
        raise errors.missing("handshake")
    moved = _move(ctx, handshake, "CANCELED")
    for part in org.db[Handshake].all():
        if part.parent == moved.id and part.state in HANDSHAKE.moves:
            _move(ctx, part, "CANCELED")
    return _answer(org, moved)


# -- looking ------------------------------------------------------------------------------------------------------


@op("DescribeHandshake", access=grants_of("DescribeHandshake"))
def describe_handshake(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One handshake, for both sides of it."""
    handshake = _need(ctx, req["HandshakeId"])
    return _answer(_org_of(ctx, handshake), handshake)


@op("ListHandshakesForAccount", access=grants_of("ListHandshakesForAccount"))
def list_handshakes_for_account(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the caller's account was asked, by whichever organization."""
    found = [h for h in ctx.db.everywhere(Handshake) if is_asked(ctx, h) and _wanted(h, req)]
    return {"Handshakes": [views.show_handshake(_org_of(ctx, h), h) for h in found]}


@operation("ListHandshakesForOrganization", by="reader")
def list_handshakes_for_organization(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """What the organization has asked, or somebody in it."""
    return {"Handshakes": [views.show_handshake(org, h) for h in org.db[Handshake].all() if _wanted(h, req)]}


def _wanted(handshake: Handshake, req: dict[str, Any]) -> bool:
    wanted = req.get("Filter") or {}
    if len(wanted) > 1:
        raise errors.invalid(
            "MAX_LIMIT_EXCEEDED_FILTER", "You can specify only one filter parameter for the operation."
        )
    kind, parent = wanted.get("ActionType"), wanted.get("ParentHandshakeId")
    return (not kind or handshake.kind.upper() == kind) and (not parent or handshake.parent == parent)
