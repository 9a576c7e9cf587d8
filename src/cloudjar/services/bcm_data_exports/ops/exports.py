"""Exports: made, changed, read, deleted.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Billing_and_Cost_Management_Data_Exports.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base import ids
from cloudjar.kit import bucket_delivery
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, keys_of_resource, op
from cloudjar.services.bcm_data_exports import errors, querying
from cloudjar.services.bcm_data_exports.ops.tagging import given_tags
from cloudjar.services.bcm_data_exports.records import EXPORTS, FAILURE, HEALTHY, UNHEALTHY, Execution, Export

_FORMS = {("TEXT_OR_CSV", "GZIP"), ("PARQUET", "PARQUET")}


def find(ctx: Ctx, text: str) -> Export:
    """The export of an ARN; raises ResourceNotFoundException."""
    arn = arns.parse(text)
    found = ctx.db[Export].get(arn.name) if arn is not None and arn.account == ctx.account else None
    if found is None or ctx.arn(found) != text:
        raise errors.not_found("Export", text)
    return found


def _fields(ctx: Ctx, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of `Export` that a request gives; raises ValidationException."""
    asked = given["DataQuery"]
    tables = {name: dict(value) for name, value in (asked.get("TableConfigurations") or {}).items()}
    querying.query(asked["QueryStatement"], tables)
    where = given["DestinationConfigurations"]["S3Destination"]
    form = where["S3OutputConfigurations"]
    if (form["Format"], form["Compression"]) not in _FORMS:
        raise errors.invalid("Files are TEXT_OR_CSV compressed by GZIP, or PARQUET compressed by PARQUET.")
    if form["OutputType"] != "CUSTOM":
        raise errors.invalid("The output type must be CUSTOM.")
    place = bucket_delivery.place(ctx, where["S3Bucket"])
    if place is None or place.region != where["S3Region"]:
        raise errors.invalid(f"There is no bucket {where['S3Bucket']} in {where['S3Region']}.")
    return {
        "description": given.get("Description") or "",
        "statement": asked["QueryStatement"],
        "tables": tables,
        "destination": where,
    }


def _grants(ctx: Ctx, req: dict[str, Any]) -> Iterable[Grant]:
    """The table that is selected from, and the export if there is one already."""
    action = "UpdateExport" if req.get("ExportArn") else "CreateExport"
    table = querying.table_of(req["Export"]["DataQuery"]["QueryStatement"])
    where = arns.make("bcm-data-exports", ctx.region, ctx.account, f"table/{table}")
    yield Grant(f"bcm-data-exports:{action}", where)
    if req.get("ExportArn"):
        arn = arns.parse(req["ExportArn"])
        held = ctx.db[Export].get(arn.name) if arn is not None else None
        keys = keys_of_resource("bcm-data-exports", "export", held)
        yield Grant(f"bcm-data-exports:{action}", req["ExportArn"], keys)


@op("CreateExport", access=_grants)
def create_export(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a query answered every day."""
    given = req["Export"]
    held = ctx.db[Export].all()
    if any(one.name == given["Name"] for one in held):
        raise errors.invalid(f"There is an export named {given['Name']}.")
    if len(held) >= EXPORTS:
        raise errors.too_many(EXPORTS)
    name = given["Name"]
    found = _fields(ctx, given)
    key = f"{name}-{ids.uuid4()}"
    made = Export(id=key, name=name, made=ctx.now, changed=ctx.now, tags=given_tags(req), **found)
    return {"ExportArn": ctx.arn(ctx.db[Export].add(made))}


@op("UpdateExport", access=_grants)
def update_export(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change all of an export but its name; it is delivered anew."""
    held, given = find(ctx, req["ExportArn"]), req["Export"]
    if given["Name"] != held.name:
        raise errors.invalid("The name of an export cannot be changed.")
    ctx.db[Export].put(replace(held, changed=ctx.now, due=True, **_fields(ctx, given)))
    return {"ExportArn": req["ExportArn"]}


@op("DeleteExport")
def delete_export(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Deliver no more; what was delivered stays."""
    ctx.db[Export].drop(find(ctx, req["ExportArn"]))
    return {"ExportArn": req["ExportArn"]}


@op("GetExport")
def get_export(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One export."""
    held = find(ctx, req["ExportArn"])
    return {"Export": _export(ctx, held), "ExportStatus": _status(held)}


@op("ListExports")
def list_exports(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every export of the account."""
    return {
        "Exports": [
            {"ExportArn": ctx.arn(one), "ExportName": one.name, "ExportStatus": _status(one)}
            for one in ctx.db[Export].all()
        ]
    }


@op("ListExecutions")
def list_executions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The deliveries of an export, the newest first."""
    held = find(ctx, req["ExportArn"])
    return {
        "Executions": [
            {"ExecutionId": one.id, "ExecutionStatus": _execution(one)} for one in reversed(held.executions)
        ]
    }


@op("GetExecution")
def get_execution(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """One delivery."""
    held = find(ctx, req["ExportArn"])
    for one in held.executions:
        if one.id == req["ExecutionId"]:
            return {"ExecutionId": one.id, "Export": _export(ctx, held), "ExecutionStatus": _execution(one)}
    raise errors.not_found("Execution", req["ExecutionId"])


def _export(ctx: Ctx, held: Export) -> dict[str, Any]:
    return {
        "ExportArn": ctx.arn(held),
        "Name": held.name,
        "Description": held.description or None,
        "DataQuery": {"QueryStatement": held.statement, "TableConfigurations": held.tables or None},
        "DestinationConfigurations": {"S3Destination": held.destination},
        "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
    }


def _status(held: Export) -> dict[str, Any]:
    failed = held.executions and held.executions[-1].status == FAILURE
    return {
        "StatusCode": UNHEALTHY if failed else HEALTHY,
        "StatusReason": held.executions[-1].reason if failed else None,
        "CreatedAt": held.made,
        "LastUpdatedAt": held.changed,
        "LastRefreshedAt": held.refreshed,
    }


def _execution(one: Execution) -> dict[str, Any]:
    return {
        "StatusCode": one.status,
        "StatusReason": one.reason or None,
        "CreatedAt": one.at,
        "CompletedAt": one.at,
        "LastUpdatedAt": one.at,
    }
