"""A CloudFormation template with which Amazon Athena reads the files of a flow log.

The files' folders are the table's partitions by projection, so nothing has to load them; the template is JSON, which is
YAML too.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-athena.html
https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.flow_logs.buckets import invalid
from cloudjar.services.ec2.flow_logs.records import FlowLog
from cloudjar.services.ec2.lookup import need

_VIA = "ec2.amazonaws.com"
_BUCKET = re.compile(r"arn:aws:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?")
_NUMBERS = {
    **dict.fromkeys(("version", "srcport", "dstport", "tcp-flags", "traffic-path"), "int"),
    **dict.fromkeys(("protocol", "packets", "bytes", "start", "end"), "bigint"),
}
_MOST = 10
_YEARS = 10
"""For which a table without an end has folders."""
_QUERIES = {
    "Rejected": ('"action" = \'REJECT\'', ("srcaddr", "dstaddr", "action")),
    "TopTalkers": ("1 = 1", ("srcaddr", "dstaddr", "bytes")),
}
"""Name -> (what is asked for, fields that a log must have for it)."""


@op("GetFlowLogsIntegrationTemplate", writes=True)
def get_flow_logs_integration_template(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put the template into a bucket, as who asks; its address is the answer."""
    log = need(ctx, FlowLog, req["FlowLogId"])
    if not log.bucket:
        raise invalid(f"The flow log {log.id} is not delivered to Amazon S3.")
    wanted = (req["IntegrateServices"] or {}).get("AthenaIntegrations") or []
    if not wanted:
        raise errors.missing_one("AthenaIntegrations")
    if len(wanted) > _MOST:
        raise invalid(f"There can be at most {_MOST} Athena integrations.")
    bucket, prefix = _place(req["ConfigDeliveryS3DestinationArn"])
    key = f"{prefix}VPCFlowLogsIntegrationTemplate_{log.id}_{ctx.now:%a %b %d %H:%M:%S UTC %Y}.yml"
    body = json.dumps(template(log, wanted), indent=2).encode()
    try:
        ctx.call("s3", "PutObject", {"Bucket": bucket, "Key": key, "Body": body}, via=_VIA)
    except AwsError as refused:
        raise invalid(f"The template cannot be written to {bucket}: {refused.message}") from refused
    return {"Result": f"https://{bucket}.s3.{ctx.region}.amazonaws.com/{quote(key)}"}


def _place(arn: str) -> tuple[str, str]:
    """A bucket and the prefix of its keys, which is empty or ends in a slash. Raises InvalidParameter."""
    found = _BUCKET.fullmatch(arn)
    if found is None:
        raise invalid(f"{arn} is not the ARN of an Amazon S3 bucket.")
    prefix = (found[2] or "").strip("/")
    return found[1], f"{prefix}/" if prefix else ""


def template(log: FlowLog, integrations: list[dict[str, Any]]) -> dict[str, Any]:
    """The template: a database and, for each integration, a table over its dates, a work group and queries. Pure."""
    name = log.id.replace("-", "")
    database = f"vpcflowlogsathenadatabase{name}"
    made: dict[str, Any] = {
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": database}},
        }
    }
    for at, one in enumerate(integrations):
        end = str(at) if at else ""
        table = f"{name}{one['PartitionLoadFrequency']}{end}"
        bucket, prefix = _place(one["IntegrationResultS3DestinationArn"])
        group = f"{name}{one['PartitionLoadFrequency']}{end}workgroup"
        made[f"Table{end}"] = _table(log, table, database, _dates(log, one))
        made[f"WorkGroup{end}"] = {
            "Type": "AWS::Athena::WorkGroup",
            "Properties": {"Name": group, "WorkGroupConfiguration": {
                "ResultConfiguration": {"OutputLocation": f"s3://{bucket}/{prefix}"}}},
        }  # fmt: skip
        made |= {f"{query}{end}": _query(query, text, database, f"WorkGroup{end}", group)
                 for query, text in _queries(log, table)}  # fmt: skip
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Reads the flow log {log.id} with Amazon Athena.",
        "Resources": made,
    }


def _dates(log: FlowLog, one: Mapping[str, Any]) -> tuple[datetime, datetime | None]:
    """From when to when; None: until now, whenever that is."""
    start, end = one.get("PartitionStartDate"), one.get("PartitionEndDate")
    if one["PartitionLoadFrequency"] != "none":
        return start or log.created, end
    if start is None or end is None:
        raise errors.missing_one("PartitionStartDate" if start is None else "PartitionEndDate")
    if end < start:
        raise invalid("PartitionEndDate must not be before PartitionStartDate.")
    return start, end


def _table(log: FlowLog, name: str, database: str, dates: tuple[datetime, datetime | None]) -> dict[str, Any]:
    folder = _folder(log)
    keys, projected = _hive(log, dates) if log.hive else _by_date(log, folder, dates)
    told = {"EXTERNAL": "TRUE", "skip.header.line.count": "1", "projection.enabled": "true", **projected}
    columns = [{"Name": field.replace("-", "_"), "Type": _NUMBERS.get(field, "string")} for field in log.fields]
    return {
        "Type": "AWS::Glue::Table",
        "DependsOn": "Database",
        "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseName": database, "TableInput": {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": told,
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "StorageDescriptor": {
                "Columns": columns,
                "Location": f"{folder}/",
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                              "Parameters": {"field.delim": " ", "serialization.format": " "}},
            },
        }},
    }  # fmt: skip


def _folder(log: FlowLog) -> str:
    bucket, prefix = _place(log.bucket)
    if log.hive:
        way = f"aws-account-id={log.account}/aws-service=vpcflowlogs/aws-region={log.region}"
    else:
        way = f"{log.account}/vpcflowlogs/{log.region}"
    return f"s3://{bucket}/{prefix}AWSLogs/{way}"


def _hive(log: FlowLog, dates: tuple[datetime, datetime | None]) -> tuple[list[str], dict[str, str]]:
    start, end = dates
    last = end.year if end else start.year + _YEARS
    ranges = {"year": (f"{start.year},{last}", 4), "month": ("1,12", 2),
              "day": ("1,31", 2), **({"hour": ("0,23", 2)} if log.hourly else {})}  # fmt: skip
    told: dict[str, str] = {}
    for key, (span, digits) in ranges.items():
        told |= {f"projection.{key}.type": "integer", f"projection.{key}.range": span,
                 f"projection.{key}.digits": str(digits)}  # fmt: skip
    return list(ranges), told


def _by_date(
    log: FlowLog, folder: str, dates: tuple[datetime, datetime | None]
) -> tuple[list[str], dict[str, str]]:
    java, python, unit = ("yyyy/MM/dd/HH", "%Y/%m/%d/%H", "HOURS") if log.hourly else (
        "yyyy/MM/dd", "%Y/%m/%d", "DAYS")  # fmt: skip
    start, end = dates
    return ["date"], {
        "projection.date.type": "date",
        "projection.date.format": java,
        "projection.date.interval": "1",
        "projection.date.interval.unit": unit,
        "projection.date.range": f"{start.strftime(python)},{end.strftime(python) if end else 'NOW'}",
        "storage.location.template": f"{folder}/${{date}}",
    }


def _queries(log: FlowLog, table: str) -> Iterator[tuple[str, str]]:
    for name, (where, fields) in _QUERIES.items():
        if set(fields) <= set(log.fields):
            order = ' GROUP BY 1, 2 ORDER BY 3 DESC' if "bytes" in fields else ""
            shown = 'srcaddr, dstaddr, sum("bytes")' if "bytes" in fields else "*"
            yield name, f'SELECT {shown} FROM "{table}" WHERE {where}{order} LIMIT 100'


def _query(name: str, text: str, database: str, needs: str, group: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Athena::NamedQuery",
        "DependsOn": needs,
        "Properties": {"Name": name, "Database": database, "QueryString": text, "WorkGroup": group},
    }
