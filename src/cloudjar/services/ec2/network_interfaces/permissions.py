"""Permissions for other accounts to attach an interface to their instances, or their addresses to an interface.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInterfacePermission.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, keys_of_resource, op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import by_path, describe, need
from cloudjar.services.ec2.network_interfaces.records import InterfacePermission, NetworkInterface

_ACCOUNT = re.compile(r"\d{12}")
_FILTERS = by_path(
    {
        "network-interface-permission.network-interface-permission-id": "NetworkInterfacePermissionId",
        "network-interface-permission.network-interface-id": "NetworkInterfaceId",
        "network-interface-permission.aws-account-id": "AwsAccountId",
        "network-interface-permission.aws-service": "AwsService",
        "network-interface-permission.permission": "Permission",
    }
)


def _keys(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    user = req.get("AwsAccountId") or ""
    service = {"ec2:AuthorizedService": req["AwsService"]} if req.get("AwsService") else {}
    return {"ec2:Permission": req.get("Permission") or "", **({"ec2:AuthorizedUser": user} if user else {}), **service}


@op("CreateNetworkInterfacePermission", keys=_keys)
def create_network_interface_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Let one other account do one thing with an interface."""
    eni = need(ctx, NetworkInterface, req["NetworkInterfaceId"])
    if req.get("AwsService"):
        raise errors.not_built("A permission for a service")
    account = req.get("AwsAccountId") or ""
    if not account:
        raise errors.missing_one("awsAccountId")
    if not _ACCOUNT.fullmatch(account):
        raise errors.invalid_value(f"Invalid value '{account}' for awsAccountId. It is not an account ID.")
    if eni.requester_managed:
        raise AwsError("AuthFailure", f"You do not have permission to access the specified resource: {eni.id}")
    for one in ctx.db[InterfacePermission].all(interface_id=eni.id):
        if (one.to, one.permission) == (account, req["Permission"]):
            raise AwsError(
                "InvalidPermission.Duplicate",
                f"The permission {one.permission} for {eni.id} has been granted to {account} already.",
            )
    made = InterfacePermission(
        id=ctx.new_id("eni-perm"), interface_id=eni.id, to=account, permission=req["Permission"]
    )
    return {"InterfacePermission": show(ctx.db[InterfacePermission].add(made))}


@op("DescribeNetworkInterfacePermissions")
def describe_network_interface_permissions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The permissions that this account has given."""
    shown = describe(ctx, req, InterfacePermission, "NetworkInterfacePermissionIds", show, _FILTERS)
    return {"NetworkInterfacePermissions": shown}


def _of_interface(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """The interface is what is asked about; the request names the permission alone."""
    one = ctx.db[InterfacePermission].get(req.get("NetworkInterfacePermissionId") or "")
    eni = ctx.db[NetworkInterface].get(one.interface_id) if one is not None else None
    if eni is None:
        return [Grant("ec2:DeleteNetworkInterfacePermission", keys={"ec2:Region": ctx.region})]
    keys = keys_of_resource("ec2", "network-interface", eni)
    return [Grant("ec2:DeleteNetworkInterfacePermission", arn_of(eni), keys)]


@op("DeleteNetworkInterfacePermission", access=_of_interface)
def delete_network_interface_permission(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take a permission back; one that is made use of at this moment only by force, and what was attached stays so."""
    one = need(ctx, InterfacePermission, req["NetworkInterfacePermissionId"])
    eni = ctx.db[NetworkInterface].get(one.interface_id)
    if eni is not None and not req.get("Force") and _used(eni, one):
        raise AwsError(
            "OperationNotPermitted",
            f"The permission {one.id} is in use by account {one.to}. Use the force parameter to delete it.",
        )
    ctx.db[InterfacePermission].drop(one)
    return {"Return": True}


def _used(eni: NetworkInterface, one: InterfacePermission) -> bool:
    if one.permission == "EIP-ASSOCIATE":
        return any(address.public is not None and address.public.owner == one.to for address in eni.addresses)
    return eni.attachment is not None and eni.attachment.instance_owner == one.to


def show(one: InterfacePermission) -> dict[str, Any]:
    """AWS's NetworkInterfacePermission; they hold at once here."""
    return {
        "NetworkInterfacePermissionId": one.id,
        "NetworkInterfaceId": one.interface_id,
        "AwsAccountId": one.to,
        "Permission": one.permission,
        "PermissionState": {"State": "granted"},
    }
