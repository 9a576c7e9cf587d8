"""Organizational units, and the ways up and down the tree.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_ous.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.services.organizations import errors, limits, views
from cloudjar.services.organizations.access import operation
from cloudjar.services.organizations.life import attach_defaults
from cloudjar.services.organizations.naming import unit_id
from cloudjar.services.organizations.ops.tagging import checked_tags
from cloudjar.services.organizations.records import Member, Root, Unit
from cloudjar.services.organizations.tree import Org


def need_parent(org: Org, id_: str, what: str = "parent") -> Root | Unit:
    """A root or OU; raises the answer for `what` it should have been."""
    found = org.node(id_)
    if found is None or isinstance(found, Member):
        raise errors.missing(what)
    return found


def need_unit(org: Org, id_: str) -> Unit:
    """An OU by its id."""
    found = org.db[Unit].get(id_)
    if found is None:
        raise errors.missing("ou")
    return found


def _check_name(org: Org, parent: str, name: str) -> None:
    if any(unit.name == name for unit in org.db[Unit].all(parent=parent)):
        raise errors.duplicate_unit()


@operation("CreateOrganizationalUnit")
def create_organizational_unit(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """A new OU below the root or another OU, at most five deep."""
    parent = need_parent(org, req["ParentId"])
    if len(org.branch(parent)) > limits.DEPTH:
        raise errors.constraint("OU_DEPTH_LIMIT_EXCEEDED", "You have exceeded the OU nesting depth limit.")
    if org.db[Unit].count() >= limits.UNITS:
        raise errors.constraint("OU_NUMBER_LIMIT_EXCEEDED", "You have exceeded the allowed number of OUs.")
    _check_name(org, parent.id, req["Name"])
    tags = checked_tags(req.get("Tags") or ())
    unit = org.db[Unit].add(Unit(id=unit_id(org.root.id), org=org.id, parent=parent.id, name=req["Name"], tags=tags))
    attach_defaults(ctx, org, unit.id)
    return {"OrganizationalUnit": views.show_unit(org, unit)}


@operation("DescribeOrganizationalUnit", by="reader")
def describe_organizational_unit(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """One OU."""
    return {"OrganizationalUnit": views.show_unit(org, need_unit(org, req["OrganizationalUnitId"]))}


@operation("UpdateOrganizationalUnit")
def update_organizational_unit(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Another name."""
    unit = need_unit(org, req["OrganizationalUnitId"])
    name = req.get("Name")
    if name is not None and name != unit.name:
        _check_name(org, unit.parent, name)
        unit = org.db[Unit].put(replace(unit, name=name))
    return {"OrganizationalUnit": views.show_unit(org, unit)}


@operation("DeleteOrganizationalUnit")
def delete_organizational_unit(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """Remove an OU that holds nothing; policies attached to it are detached."""
    unit = need_unit(org, req["OrganizationalUnitId"])
    if org.db[Unit].count(parent=unit.id) or org.db[Member].count(parent=unit.id):
        raise errors.unit_not_empty()
    org.strip(unit.id)
    org.db[Unit].drop(unit)
    return {}


@operation("ListOrganizationalUnitsForParent", by="reader")
def list_organizational_units_for_parent(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The OUs right below a root or OU."""
    parent = need_parent(org, req["ParentId"])
    return {"OrganizationalUnits": [views.show_unit(org, unit) for unit in org.db[Unit].all(parent=parent.id)]}


@operation("ListAccountsForParent", by="reader")
def list_accounts_for_parent(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The accounts right below a root or OU."""
    parent = need_parent(org, req["ParentId"])
    return {"Accounts": [views.show_account(org, member) for member in org.db[Member].all(parent=parent.id)]}


@operation("ListChildren", by="reader")
def list_children(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """The OUs or the accounts right below a root or OU, by id alone."""
    parent, kind = need_parent(org, req["ParentId"]), req["ChildType"]
    found: list[Member] | list[Unit]
    found = org.db[Member].all(parent=parent.id) if kind == "ACCOUNT" else org.db[Unit].all(parent=parent.id)
    return {"Children": [{"Id": child.id, "Type": kind} for child in found]}


@operation("ListParents", by="reader")
def list_parents(ctx: Ctx, org: Org, req: dict[str, Any]) -> dict[str, Any]:
    """What an account or OU lies in: always one."""
    child = org.node(req["ChildId"])
    if child is None or isinstance(child, Root):
        raise errors.missing("child")
    kind = "ROOT" if child.parent.startswith("r-") else "ORGANIZATIONAL_UNIT"
    return {"Parents": [{"Id": child.parent, "Type": kind}]}
