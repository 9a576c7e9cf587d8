"""Policy tables of transit gateways, which nothing obeys and nothing is in yet.

https://docs.aws.amazon.com/vpc/latest/tgw/tgw-policy-tables.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.ec2.lookup import by_path, describe, narrow, need
from cloudjar.services.ec2.transit_gateways.finding import need_gateway, ready
from cloudjar.services.ec2.transit_gateways.life import forget_later
from cloudjar.services.ec2.transit_gateways.records import PolicyTable
from cloudjar.services.ec2.vpcs.making import op

_FILTERS = by_path(
    {
        "state": "State",
        "transit-gateway-id": "TransitGatewayId",
        "transit-gateway-policy-table-id": "TransitGatewayPolicyTableId",
    }
)
_NONE = by_path({})


@op("CreateTransitGatewayPolicyTable")
def create_transit_gateway_policy_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """A table without entries, which no attachment obeys."""
    gateway = need_gateway(ctx, req["TransitGatewayId"])
    ready(gateway)
    table = PolicyTable(
        id=ctx.new_id("tgw-ptb"),
        gateway_id=gateway.id,
        created=ctx.now,
        tags=tags.specified(req, "transit-gateway-policy-table"),
    )
    return {"TransitGatewayPolicyTable": _show(ctx.db[PolicyTable].add(table))}


@op("DescribeTransitGatewayPolicyTables")
def describe_transit_gateway_policy_tables(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Tables by id or filter, for an hour also those that are gone."""
    found = describe(ctx, req, PolicyTable, "TransitGatewayPolicyTableIds", _show, _FILTERS)
    return {"TransitGatewayPolicyTables": found}


@op("DeleteTransitGatewayPolicyTable")
def delete_transit_gateway_policy_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove a table."""
    table = _need(ctx, req["TransitGatewayPolicyTableId"])
    return {"TransitGatewayPolicyTable": _show(ctx.db[PolicyTable].put(replace(table, state="deleting")))}


@op("GetTransitGatewayPolicyTableAssociations")
def get_transit_gateway_policy_table_associations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No attachment obeys one."""
    _need(ctx, req["TransitGatewayPolicyTableId"])
    return {"Associations": narrow(req, _NONE, ())}


@op("GetTransitGatewayPolicyTableEntries")
def get_transit_gateway_policy_table_entries(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None is in one."""
    _need(ctx, req["TransitGatewayPolicyTableId"])
    return {"TransitGatewayPolicyTableEntries": narrow(req, _NONE, ())}


def _need(ctx: Ctx, key: str) -> PolicyTable:
    table = need(ctx, PolicyTable, key)
    if table.state in ("deleting", "deleted"):
        raise AwsError(
            "InvalidTransitGatewayPolicyTableId.NotFound",
            f"Transit Gateway Policy Table {key} was deleted or does not exist.",
        )
    return table


@reconciler(PolicyTable)
def converge(step: Step, table: PolicyTable | None) -> None:
    """A table is available once it has been seen, and deleted likewise."""
    if table is None:
        return
    if table.state == "pending":
        step.change(PolicyTable, lambda now: replace(now, state="available") if now.state == "pending" else None)
    elif table.state == "deleting":
        step.change(PolicyTable, lambda now: replace(now, state="deleted"))
    elif table.state == "deleted":
        forget_later(step, table)


def _show(table: PolicyTable) -> dict[str, Any]:
    return {
        "CreationTime": table.created,
        "State": table.state,
        "Tags": tags.as_list(table.tags),
        "TransitGatewayId": table.gateway_id,
        "TransitGatewayPolicyTableId": table.id,
    }
