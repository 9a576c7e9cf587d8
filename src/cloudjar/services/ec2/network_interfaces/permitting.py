"""Whether an account may use an interface: its own, or another's that lets it."""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.ec2.lookup import check_form
from cloudjar.services.ec2.network_interfaces.records import InterfacePermission, NetworkInterface


def usable(ctx: Ctx, interface_id: str, permission: str) -> NetworkInterface:
    """The interface, for who may do that with it; raises as for one that is not there, or AuthFailure."""
    check_form(NetworkInterface, interface_id)
    own = ctx.db[NetworkInterface].get(interface_id)
    if own is not None:
        return own
    found = ctx.db.find(NetworkInterface, interface_id)
    if found is None or found.region != ctx.region:
        raise ctx.db[NetworkInterface].meta.not_found(interface_id)
    given = ctx.db.at(found.account, found.region)[InterfacePermission].all(interface_id=interface_id)
    mine = {one.permission for one in given if one.to == ctx.account}
    if not mine:
        raise ctx.db[NetworkInterface].meta.not_found(interface_id)
    if permission not in mine or found.requester_managed:
        raise AwsError(
            "AuthFailure", f"You do not have permission to access the specified resource: {interface_id}"
        )
    return found
