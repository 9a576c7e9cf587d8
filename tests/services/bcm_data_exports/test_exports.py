"""Exports: CUR 2.0 and FOCUS into a bucket; their sums are Cost Explorer's."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.test_alerts import machine, start_of_month

CUR = (
    "SELECT line_item_usage_start_date, line_item_product_code, line_item_usage_type, line_item_usage_amount, "
    "line_item_unblended_cost AS cost, line_item_resource_id, resource_tags FROM COST_AND_USAGE_REPORT"
)
FOCUS = "SELECT BilledCost, EffectiveCost, ChargePeriodStart, ServiceName, RegionId FROM FOCUS_1_0_AWS"


def bucket(jar: TestJar, *, shut: bool = False) -> None:
    """A bucket in Paris that lets Data Exports in."""
    s3 = jar.client("s3")
    s3.create_bucket(Bucket="costs", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    if shut:
        return
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": ["billingreports.amazonaws.com", "bcm-data-exports.amazonaws.com"]},
        "Action": ["s3:PutObject", "s3:GetBucketPolicy"],
        "Resource": ["arn:aws:s3:::costs", "arn:aws:s3:::costs/*"],
        "Condition": {
            "StringLike": {
                "aws:SourceAccount": ACCOUNT,
                "aws:SourceArn": f"arn:aws:bcm-data-exports:us-east-1:{ACCOUNT}:export/*",
            }
        },
    }
    s3.put_bucket_policy(Bucket="costs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def asked(name: str, statement: str, form: str = "TEXT_OR_CSV", **settings: str) -> dict[str, Any]:
    """An export into that bucket."""
    table = statement.rpartition(" ")[2]
    return {
        "Name": name,
        "DataQuery": {"QueryStatement": statement, "TableConfigurations": {table: settings} if settings else {}},
        "DestinationConfigurations": {
            "S3Destination": {
                "S3Bucket": "costs",
                "S3Prefix": "exports",
                "S3Region": "eu-west-3",
                "S3OutputConfigurations": {
                    "OutputType": "CUSTOM",
                    "Format": form,
                    "Compression": "GZIP" if form == "TEXT_OR_CSV" else "PARQUET",
                    "Overwrite": "OVERWRITE_REPORT",
                },
            }
        },
        "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
    }


def delivered(jar: TestJar, name: str, month: datetime, suffix: str = "csv.gz") -> bytes:
    """A file of a billing period."""
    key = f"exports/{name}/data/BILLING_PERIOD={month:%Y-%m}/{name}-00001.{suffix}"
    body = jar.client("s3").get_object(Bucket="costs", Key=key)["Body"]
    try:
        return bytes(body.read())
    finally:
        body.close()


def rows(data: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(gzip.decompress(data).decode())))


def explored(jar: TestJar, first: datetime) -> Decimal:
    """What Cost Explorer says of the days of a month so far."""
    ce = jar.client("ce", "us-east-1")
    end = jar.clock.now().date()
    answer = ce.get_cost_and_usage(
        TimePeriod={"Start": first.date().isoformat(), "End": end.isoformat()},
        Granularity="MONTHLY",
        Metrics=["UnblendedCost"],
    )
    return sum((Decimal(one["Total"]["UnblendedCost"]["Amount"]) for one in answer["ResultsByTime"]), Decimal(0))


def test_every_table_sums_up_to_what_cost_explorer_says(jar: TestJar) -> None:
    first = start_of_month(jar)
    bucket(jar)
    vm = machine(jar)
    exports = jar.client("bcm-data-exports", "us-east-1")
    arns = {}
    for name, statement, form, settings in (
        ("hours", CUR, "TEXT_OR_CSV", {"INCLUDE_RESOURCES": "TRUE"}),
        ("days", CUR, "TEXT_OR_CSV", {"TIME_GRANULARITY": "DAILY"}),
        ("months", CUR, "PARQUET", {"TIME_GRANULARITY": "MONTHLY"}),
        ("focus", FOCUS, "TEXT_OR_CSV", {}),
    ):
        arns[name] = exports.create_export(Export=asked(name, statement, form, **settings))["ExportArn"]
    jar.advance(days=3)
    whole = explored(jar, first)
    assert whole > 1
    hours = rows(delivered(jar, "hours", first))
    assert abs(sum(Decimal(row["cost"]) for row in hours) - whole) < Decimal("0.001")
    boxes = [row for row in hours if row["line_item_usage_type"] == "EUW3-BoxUsage:t3.micro"]
    assert len(boxes) == 72
    assert {row["line_item_resource_id"] for row in boxes} == {vm}
    assert sum(Decimal(row["line_item_usage_amount"]) for row in boxes) == 72
    days = rows(delivered(jar, "days", first))
    assert abs(sum(Decimal(row["cost"]) for row in days) - whole) < Decimal("0.001")
    assert {row["line_item_resource_id"] for row in days} == {""}
    focus = rows(delivered(jar, "focus", first))
    assert abs(sum(Decimal(row["BilledCost"]) for row in focus) - whole) < Decimal("0.001")
    assert "eu-west-3" in {row["RegionId"] for row in focus}
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(delivered(jar, "months", first, "snappy.parquet")))
    assert abs(Decimal(str(sum(table.column("cost").to_pylist()))) - whole) < Decimal("0.001")
    executions = exports.list_executions(ExportArn=arns["hours"])["Executions"]
    assert {one["ExecutionStatus"]["StatusCode"] for one in executions} == {"DELIVERY_SUCCESS"}
    one = exports.get_execution(ExportArn=arns["hours"], ExecutionId=executions[0]["ExecutionId"])
    assert one["Export"]["Name"] == "hours"
    assert exports.get_export(ExportArn=arns["days"])["ExportStatus"]["StatusCode"] == "HEALTHY"


def test_a_bucket_that_is_shut_gets_nothing(steady_jar: TestJar) -> None:
    jar = steady_jar
    bucket(jar, shut=True)
    exports = jar.client("bcm-data-exports", "us-east-1")
    arn = exports.create_export(Export=asked("e", FOCUS))["ExportArn"]
    jar.settle()
    status = exports.get_export(ExportArn=arn)["ExportStatus"]
    assert (status["StatusCode"], status["StatusReason"]) == ("UNHEALTHY", "INSUFFICIENT_PERMISSION")
    assert jar.client("s3").list_objects_v2(Bucket="costs")["KeyCount"] == 0


def test_what_is_no_export_is_refused(steady_jar: TestJar) -> None:
    jar = steady_jar
    bucket(jar)
    exports = jar.client("bcm-data-exports", "us-east-1")
    for wrong in (
        asked("e", "DELETE FROM COST_AND_USAGE_REPORT"),
        asked("e", "SELECT weather FROM COST_AND_USAGE_REPORT"),
        asked("e", "SELECT BilledCost FROM NOWHERE"),
        asked("e", FOCUS + " WHERE BilledCost > 0"),
        asked("e", CUR, TIME_GRANULARITY="YEARLY"),
    ):
        with pytest.raises(exports.exceptions.ValidationException):
            exports.create_export(Export=wrong)
    with pytest.raises(exports.exceptions.ResourceNotFoundException):
        exports.get_export(ExportArn=f"arn:aws:bcm-data-exports:us-east-1:{ACCOUNT}:export/none")


def test_exports_are_changed_tagged_and_deleted(steady_jar: TestJar) -> None:
    jar = steady_jar
    bucket(jar)
    exports = jar.client("bcm-data-exports", "us-east-1")
    tags = [{"Key": "k", "Value": "v"}]
    arn = exports.create_export(Export=asked("e", FOCUS), ResourceTags=tags)["ExportArn"]
    assert exports.list_tags_for_resource(ResourceArn=arn)["ResourceTags"] == tags
    exports.untag_resource(ResourceArn=arn, ResourceTagKeys=["k"])
    exports.update_export(ExportArn=arn, Export=asked("e", CUR))
    assert exports.get_export(ExportArn=arn)["Export"]["DataQuery"]["QueryStatement"] == CUR
    assert [one["ExportName"] for one in exports.list_exports()["Exports"]] == ["e"]
    tables = {one["TableName"] for one in exports.list_tables()["Tables"]}
    assert tables == {"COST_AND_USAGE_REPORT", "FOCUS_1_0_AWS"}
    schema = exports.get_table(TableName="FOCUS_1_0_AWS")["Schema"]
    assert {"Name": "BilledCost", "Type": "double"} in schema
    exports.delete_export(ExportArn=arn)
    with pytest.raises(ClientError, match="not found"):
        exports.delete_export(ExportArn=arn)
