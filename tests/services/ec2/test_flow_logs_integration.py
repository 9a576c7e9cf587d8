"""The template with which Athena reads a flow log's files."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, refused
from tests.services.ec2.test_flow_logs import Scene
from tests.services.ec2.test_flow_logs_in_buckets import log, make_bucket
from tests.services.iam.people import allow, user

INTO = "arn:aws:s3:::flows/templates"


@pytest.fixture
def scene(jar: TestJar) -> Scene:
    return Scene(jar)


def asked(log_id: str, **more: Any) -> dict[str, Any]:
    results = "arn:aws:s3:::results/athena/"
    one = {"PartitionLoadFrequency": "daily", "IntegrationResultS3DestinationArn": results} | more
    return {"FlowLogId": log_id, "ConfigDeliveryS3DestinationArn": INTO,
            "IntegrateServices": {"AthenaIntegrations": [one]}}  # fmt: skip


def read(s3: Any, url: str) -> dict[str, Any]:
    head = "https://flows.s3.eu-west-3.amazonaws.com/"
    assert url.startswith(f"{head}templates/VPCFlowLogsIntegrationTemplate_fl-")
    body = s3.get_object(Bucket="flows", Key=unquote(url.removeprefix(head)))["Body"].read()
    found: dict[str, Any] = json.loads(body)["Resources"]
    return found


def test_the_table_is_over_the_logs_own_files(jar: TestJar, scene: Scene) -> None:
    s3 = make_bucket(jar)
    (log_id,) = log(scene)["FlowLogIds"]
    made = read(s3, scene.ec2.get_flow_logs_integration_template(**asked(log_id))["Result"])
    assert {one["Type"] for one in made.values()} == {
        "AWS::Glue::Database", "AWS::Glue::Table", "AWS::Athena::WorkGroup", "AWS::Athena::NamedQuery"}
    table = made["Table"]["Properties"]["TableInput"]
    where = f"s3://flows/net/AWSLogs/{ACCOUNT}/vpcflowlogs/eu-west-3"
    assert table["StorageDescriptor"]["Location"] == f"{where}/"
    assert table["Parameters"]["storage.location.template"] == where + "/${date}"
    assert table["Parameters"]["projection.date.range"] == "2026/01/15,NOW"
    columns = {one["Name"]: one["Type"] for one in table["StorageDescriptor"]["Columns"]}
    assert list(columns)[:4] == ["version", "account_id", "interface_id", "srcaddr"]
    assert (columns["bytes"], columns["dstaddr"]) == ("bigint", "string")
    result = made["WorkGroup"]["Properties"]["WorkGroupConfiguration"]["ResultConfiguration"]
    assert result == {"OutputLocation": "s3://results/athena/"}
    assert table["Name"] in made["TopTalkers"]["Properties"]["QueryString"]


def test_folders_by_the_hour_for_hive(jar: TestJar, scene: Scene) -> None:
    s3 = make_bucket(jar)
    options = {"FileFormat": "plain-text", "HiveCompatiblePartitions": True, "PerHourPartition": True}
    (log_id,) = log(scene, DestinationOptions=options)["FlowLogIds"]
    dates = {"PartitionStartDate": "2026-01-01T00:00:00Z", "PartitionEndDate": "2027-02-01T00:00:00Z"}
    more = asked(log_id, PartitionLoadFrequency="none", **dates)
    made = read(s3, scene.ec2.get_flow_logs_integration_template(**more)["Result"])
    table = made["Table"]["Properties"]["TableInput"]
    assert [one["Name"] for one in table["PartitionKeys"]] == ["year", "month", "day", "hour"]
    assert table["Parameters"]["projection.year.range"] == "2026,2027"
    assert table["StorageDescriptor"]["Location"].endswith(
        f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region=eu-west-3/")


def test_what_is_refused(jar: TestJar, scene: Scene) -> None:
    make_bucket(jar)
    get = scene.ec2.get_flow_logs_integration_template
    assert code(get, **asked("fl-0123456789abcdef0")) == "InvalidFlowLogId.NotFound"
    (log_id,) = log(scene)["FlowLogIds"]
    assert code(get, **asked(log_id, PartitionLoadFrequency="none")) == "MissingParameter"
    assert code(get, **asked(log_id, IntegrationResultS3DestinationArn="x")) == "InvalidParameter"
    elsewhere = {**asked(log_id), "ConfigDeliveryS3DestinationArn": "arn:aws:s3:::nowhere-at-all"}
    assert refused(get, **elsewhere)[0] == "InvalidParameter"
    ada = user(jar, "ada", allow("ec2:GetFlowLogsIntegrationTemplate")).client("ec2")
    said = refused(ada.get_flow_logs_integration_template, **asked(log_id))
    assert said[0] == "InvalidParameter"
    assert "not authorized to perform: s3:PutObject" in said[1]
