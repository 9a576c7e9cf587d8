"""The organization itself.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganization.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.organizations import errors, views
from cloudjar.services.organizations.access import grants_of, operation
from cloudjar.services.organizations.life import LINKED_ROLE, PRINCIPAL, join
from cloudjar.services.organizations.naming import new_id
from cloudjar.services.organizations.records import (
    Attachment,
    CreateRequest,
    Delegation,
    Handshake,
    Member,
    Organization,
    Root,
    StoredPolicy,
    Unit,
)
from cloudjar.services.organizations.tree import Org, of_account

_REFUSALS = ("AccessDenied", "AccessDeniedException")


def make_linked_role(ctx: Ctx) -> None:
    """The service's role in the caller's account, made with the caller's rights, unless it is there."""
    if ctx.find("iam", "role", LINKED_ROLE) is not None:
        return
    try:
        ctx.call("iam", "CreateServiceLinkedRole", {"AWSServiceName": PRINCIPAL}, via=PRINCIPAL)
    except AwsError as error:
        if error.code in _REFUSALS:
            raise errors.no_linked_role() from None
        raise


@op("CreateOrganization", access=grants_of("CreateOrganization"))
def create_organization(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The caller's account becomes the management account. No policy type is enabled yet."""
    if of_account(ctx.db, ctx.account) is not None:
        raise errors.already_in_organization()
    make_linked_role(ctx)
    features = req.get("FeatureSet") or "ALL"
    root = new_id("r", 4)
    table = ctx.db.at(ctx.account, "")
    record = table[Organization].add(
        Organization(id=new_id("o", 10), root=root, features=features, created=ctx.now)
    )
    org = Org(ctx.db, record)
    table[Root].add(Root(id=root, org=record.id))
    accounts.save(ctx.db, accounts.described(ctx.db, ctx.account))
    join(ctx, org, Member(id=ctx.account, org=record.id, parent=root, joined=ctx.now, method="INVITED"))
    return {"Organization": views.show_organization(org)}


@operation("DescribeOrganization", by="member")
def describe_organization(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The organization that the caller's account is in."""
    return {"Organization": views.show_organization(org)}


@operation("DeleteOrganization")
def delete_organization(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Dissolve an organization in which the management account is alone, with neither OUs nor policies left."""
    pending = org.db[CreateRequest].count(state="IN_PROGRESS")
    if pending or org.db[Member].count() > 1 or org.db[Unit].count() or org.db[StoredPolicy].count():
        raise errors.not_empty()
    for kind in (Attachment, CreateRequest, Delegation, Handshake, Member, Root, Organization):
        for item in org.db[kind].all():
            org.db[kind].drop(item)
    return {}


@operation("ListRoots", by="reader")
def list_roots(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The one root."""
    return {"Roots": [views.show_root(org.root)]}
