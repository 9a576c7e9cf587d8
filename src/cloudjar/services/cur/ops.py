"""Report definitions.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Cost_and_Usage_Report_Service.html
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery, tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.cur.records import REPORTS, Report

_FORMS = {("textORcsv", "GZIP"), ("Parquet", "Parquet")}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message, 400)


def _need(ctx: Ctx, name: str, code: str = "ValidationException") -> Report:
    found = ctx.db[Report].get(name)
    if found is None:
        raise AwsError(code, f"There is no report named {name}.", 400)
    return found


def _checked(ctx: Ctx, given: dict[str, Any]) -> dict[str, Any]:
    """A definition, if it can be delivered; raises ValidationException."""
    if (given["Format"], given["Compression"]) not in _FORMS:
        raise _invalid("Reports are textORcsv compressed by GZIP, or Parquet compressed by Parquet.")
    if set(given["AdditionalSchemaElements"]) - {"RESOURCES"} or given.get("AdditionalArtifacts"):
        raise _invalid("Reports have the schema element RESOURCES alone, and no artifacts.")
    if given.get("BillingViewArn"):
        raise _invalid("There is no such billing view.")
    place = bucket_delivery.place(ctx, given["S3Bucket"])
    if place is None or place.region != given["S3Region"]:
        raise _invalid(f"There is no bucket {given['S3Bucket']} in {given['S3Region']}.")
    return {name: value for name, value in given.items() if name != "ReportStatus"}


@op("PutReportDefinition")
def put_report_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Have a report made every day."""
    given = req["ReportDefinition"]
    name = given["ReportName"]
    if ctx.db[Report].get(name) is not None:
        raise AwsError("DuplicateReportNameException", f"There is a report named {name}.", 400)
    if ctx.db[Report].count() >= REPORTS:
        raise AwsError("ReportLimitReachedException", f"An account can have up to {REPORTS} reports.", 400)
    held = tags.from_list(req.get("Tags") or ())
    ctx.db[Report].add(Report(name=name, definition=_checked(ctx, given), changed=ctx.now, tags=_few(held)))
    return {}


@op("ModifyReportDefinition")
def modify_report_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Change all of a report but its name; it is delivered anew."""
    held, given = _need(ctx, req["ReportName"]), req["ReportDefinition"]
    if given["ReportName"] != held.name:
        raise _invalid("The name of a report cannot be changed.")
    ctx.db[Report].put(replace(held, definition=_checked(ctx, given), changed=ctx.now, due=True))
    return {}


@op("DeleteReportDefinition")
def delete_report_definition(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Deliver no more; what was delivered stays."""
    ctx.db[Report].drop(_need(ctx, req["ReportName"]))
    return {"ResponseMessage": f"Successfully deleted report definition {req['ReportName']}"}


@op("DescribeReportDefinitions")
def describe_report_definitions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every report of the account."""
    return {"ReportDefinitions": [_shown(one) for one in ctx.db[Report].all()]}


def _shown(one: Report) -> dict[str, Any]:
    if one.delivered is None:
        return one.definition
    status = {"lastDelivery": f"{one.delivered:%Y%m%dT%H%M%SZ}", "lastStatus": one.status}
    return {**one.definition, "ReportStatus": status}


def _few(found: dict[str, str]) -> dict[str, str]:
    if len(found) > tags.LIMIT or any(key.lower().startswith("aws:") for key in found):
        raise _invalid(f"A report can have up to {tags.LIMIT} tags, of which no key begins with aws:.")
    return found


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    held = _need(ctx, req["ReportName"], "ResourceNotFoundException")
    ctx.db[Report].put(replace(held, tags=_few({**held.tags, **tags.from_list(req["Tags"])})))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take tags away."""
    held = _need(ctx, req["ReportName"], "ResourceNotFoundException")
    left = {key: value for key, value in held.tags.items() if key not in req["TagKeys"]}
    ctx.db[Report].put(replace(held, tags=left))
    return {}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a report."""
    return {"Tags": tags.as_list(_need(ctx, req["ReportName"], "ResourceNotFoundException").tags)}
