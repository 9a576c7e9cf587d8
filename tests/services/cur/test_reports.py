"""Legacy reports: into a bucket, sums as Cost Explorer's."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudjar.services.cur.columns import old
from tests.jar import ACCOUNT, TestJar
from tests.services.bcm_data_exports.test_exports import explored, rows
from tests.services.budgets.test_alerts import machine, start_of_month


def asked(**more: Any) -> dict[str, Any]:
    """A daily report with resources."""
    return {
        "ReportName": "report",
        "TimeUnit": "DAILY",
        "Format": "textORcsv",
        "Compression": "GZIP",
        "AdditionalSchemaElements": ["RESOURCES"],
        "S3Bucket": "costs",
        "S3Prefix": "legacy",
        "S3Region": "eu-west-3",
        "ReportVersioning": "OVERWRITE_REPORT",
        **more,
    }


def test_a_report_sums_up_to_what_cost_explorer_says(jar: TestJar) -> None:
    first = start_of_month(jar)
    s3, reports = jar.client("s3"), jar.client("cur", "us-east-1")
    s3.create_bucket(Bucket="costs", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    machine(jar)
    reports.put_report_definition(ReportDefinition=asked(), Tags=[{"Key": "k", "Value": "v"}])
    jar.settle()

    def status() -> str:
        return str(reports.describe_report_definitions()["ReportDefinitions"][0]["ReportStatus"]["lastStatus"])

    assert status() == "ERROR_PERMISSIONS"
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "billingreports.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::costs/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT},
                      "StringLike": {"aws:SourceArn": f"arn:aws:cur:us-east-1:{ACCOUNT}:definition/*"}},
    }  # fmt: skip
    s3.put_bucket_policy(Bucket="costs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [may]}))
    jar.advance(days=2)
    assert status() == "SUCCESS"
    after = (first + timedelta(days=32)).replace(day=1)
    folder = f"legacy/report/{first:%Y%m%d}-{after:%Y%m%d}"
    manifest = json.loads(_read(s3, f"{folder}/report-Manifest.json"))
    assert manifest["reportKeys"] == [f"{folder}/report-00001.csv.gz"]
    found = rows(_read(s3, manifest["reportKeys"][0]))
    total = sum(Decimal(row["lineItem/UnblendedCost"]) for row in found)
    assert abs(total - explored(jar, first)) < Decimal("0.001")
    assert {row["lineItem/UsageAccountId"] for row in found} == {ACCOUNT}
    parquet = asked(Format="Parquet", Compression="Parquet")
    reports.modify_report_definition(ReportName="report", ReportDefinition=parquet)
    jar.settle()
    assert _read(s3, f"{folder}/report-00001.snappy.parquet")[:4] == b"PAR1"


def _read(s3: Any, key: str) -> bytes:
    body = s3.get_object(Bucket="costs", Key=key)["Body"]
    try:
        return bytes(body.read())
    finally:
        body.close()


def test_definitions_are_kept_tagged_and_refused(steady_jar: TestJar) -> None:
    jar = steady_jar
    reports = jar.client("cur", "us-east-1")
    with pytest.raises(reports.exceptions.ValidationException, match="no bucket"):
        reports.put_report_definition(ReportDefinition=asked())
    jar.client("s3").create_bucket(Bucket="costs", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    with pytest.raises(reports.exceptions.ValidationException):
        reports.put_report_definition(ReportDefinition=asked(Compression="ZIP"))
    reports.put_report_definition(ReportDefinition=asked())
    with pytest.raises(reports.exceptions.DuplicateReportNameException):
        reports.put_report_definition(ReportDefinition=asked())
    reports.tag_resource(ReportName="report", Tags=[{"Key": "k", "Value": "v"}, {"Key": "l", "Value": "w"}])
    reports.untag_resource(ReportName="report", TagKeys=["k"])
    assert reports.list_tags_for_resource(ReportName="report")["Tags"] == [{"Key": "l", "Value": "w"}]
    reports.delete_report_definition(ReportName="report")
    assert reports.describe_report_definitions()["ReportDefinitions"] == []
    with pytest.raises(reports.exceptions.ResourceNotFoundException):
        reports.list_tags_for_resource(ReportName="report")


def test_old_names_of_columns() -> None:
    assert old("line_item_usage_amount") == "lineItem/UsageAmount"
    assert old("bill_payer_account_id") == "bill/PayerAccountId"
    assert old("product_region_code") == "product/regionCode"
