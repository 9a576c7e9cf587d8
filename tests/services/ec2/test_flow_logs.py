"""Flow logs: what passed is delivered by the interval to CloudWatch Logs, as the role that was given; or is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudjar.planes.network.port import Flow
from cloudjar.services.ec2.flow_logs.pending import Pending
from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, interface_of, launch, make_subnet, make_vpc, only, refused
from tests.services.iam.people import allow, policy, user
from tests.services.iam.people import refused as refusal

LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
TRUST = policy({
    "Effect": "Allow", "Principal": {"Service": "vpc-flow-logs.amazonaws.com"}, "Action": "sts:AssumeRole",
    "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:ec2:eu-west-3:{ACCOUNT}:vpc-flow-log/*"}},
})  # fmt: skip


class Scene:
    """A machine in a VPC, and a role that may deliver."""

    def __init__(self, jar: TestJar) -> None:
        self.jar, self.ec2, self.logs, self.iam = jar, jar.client("ec2"), jar.client("logs"), jar.client("iam")
        self.vpc = make_vpc(self.ec2)
        self.subnet = make_subnet(self.ec2, self.vpc)
        self.instance = launch(self.ec2, SubnetId=self.subnet)
        self.eni = str(interface_of(self.ec2, self.instance)["NetworkInterfaceId"])
        self.role = str(self.iam.create_role(RoleName="flows", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"])
        self.may(*LOGS)

    def may(self, *actions: str) -> None:
        document = policy({"Effect": "Allow", "Action": list(actions), "Resource": "*"})
        self.iam.put_role_policy(RoleName="flows", PolicyName="p", PolicyDocument=document)

    def log(self, **more: Any) -> str:
        asked: dict[str, Any] = {
            "ResourceIds": [self.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flows",
            "DeliverLogsPermissionArn": self.role, "MaxAggregationInterval": 60, **more,
        }  # fmt: skip
        made = self.ec2.create_flow_logs(**asked)
        assert made["Unsuccessful"] == []
        self.jar.settle()
        return str(made["FlowLogIds"][0])

    def passes(self, action: str = "ACCEPT", port: int = 80, packets: int = 3, eni: str = "") -> None:
        self.jar.network.pass_by(Flow(
            interface=eni or self.eni, direction="ingress", action="ACCEPT" if action == "ACCEPT" else "REJECT",
            source="10.0.9.9", target="10.0.1.4", source_port=49152, target_port=port, protocol=6, packets=packets,
            bytes=packets * 60,
        ))  # fmt: skip

    def lines(self, stream: str = "") -> list[list[str]]:
        found = self.logs.filter_log_events(
            logGroupName="flows", **({"logStreamNames": [stream]} if stream else {})
        )["events"]
        return [event["message"].split() for event in found]


@pytest.fixture
def scene(jar: TestJar) -> Scene:
    return Scene(jar)


def test_what_passed_is_in_the_group_after_the_interval(jar: TestJar, scene: Scene) -> None:
    scene.passes(port=22)  # before anybody logs: told to nobody
    scene.log()
    begin = int(jar.clock.now().timestamp())
    scene.passes()
    scene.passes(packets=2)
    scene.passes("REJECT", port=81)
    jar.advance(seconds=60)
    streams = scene.logs.describe_log_streams(logGroupName="flows")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == [f"{scene.eni}-all"]
    head = ["2", ACCOUNT, scene.eni, "10.0.9.9", "10.0.1.4", "49152"]
    times = [str(begin), str(begin + 60)]
    assert scene.lines() == [
        [*head, "80", "6", "5", "300", *times, "ACCEPT", "OK"],
        [*head, "81", "6", "3", "180", *times, "REJECT", "OK"],
    ]
    [shown] = scene.ec2.describe_flow_logs(Filter=only(log_group_name="flows"))["FlowLogs"]
    assert (shown["DeliverLogsStatus"], shown["FlowLogStatus"], shown["MaxAggregationInterval"]) == (
        "SUCCESS", "ACTIVE", 60,
    )  # fmt: skip


def test_nothing_is_said_to_have_been_nothing(jar: TestJar, scene: Scene) -> None:
    scene.log()
    jar.advance(seconds=61)
    [line] = scene.lines()
    assert line[:3] + line[12:] == ["2", ACCOUNT, scene.eni, "-", "NODATA"]
    jar.crash()
    jar.advance(seconds=60)
    assert scene.lines()[-1][-1] == "SKIPDATA"  # whoever might have counted is gone
    if not jar.reborn:
        jar.advance(seconds=60)
        assert scene.lines()[-1][-1] == "NODATA"


def test_each_log_has_its_traffic_resource_fields_and_time(jar: TestJar, scene: Scene) -> None:
    other = interface_of(scene.ec2, launch(scene.ec2, SubnetId=make_subnet(scene.ec2, scene.vpc, "10.0.2.0/24")))
    fields = "${version} ${vpc-id} ${subnet-id} ${instance-id} ${flow-direction} ${type} ${region} ${tcp-flags}"
    scene.log(TrafficType="REJECT", ResourceIds=[scene.eni], ResourceType="NetworkInterface")
    scene.log(TrafficType="ACCEPT", ResourceIds=[scene.subnet], ResourceType="Subnet", LogFormat=fields,
              MaxAggregationInterval=600)  # fmt: skip
    scene.passes()
    scene.passes("REJECT", port=81)
    scene.passes(eni=other["NetworkInterfaceId"])
    jar.advance(seconds=60)
    assert [line[6] for line in scene.lines(f"{scene.eni}-reject")] == ["81"]
    jar.advance(seconds=540)
    assert scene.lines(f"{scene.eni}-accept")[0] == [
        "5", scene.vpc, scene.subnet, scene.instance, "ingress", "IPv4", "eu-west-3", "-",
    ]  # fmt: skip
    streams = scene.logs.describe_log_streams(logGroupName="flows")["logStreams"]
    assert {stream["logStreamName"] for stream in streams} == {f"{scene.eni}-accept", f"{scene.eni}-reject"}


def test_without_permission_nothing_arrives_and_the_log_says_so(jar: TestJar, scene: Scene) -> None:
    scene.may("logs:CreateLogStream")
    key = scene.log()
    scene.passes()
    jar.advance(seconds=60)
    [shown] = scene.ec2.describe_flow_logs(FlowLogIds=[key])["FlowLogs"]
    assert (shown["DeliverLogsStatus"], shown["DeliverLogsErrorMessage"]) == ("FAILED", "Access error")
    assert scene.logs.describe_log_groups()["logGroups"] == []
    scene.may(*LOGS)
    scene.passes()
    jar.advance(seconds=60)
    [shown] = scene.ec2.describe_flow_logs(FlowLogIds=[key])["FlowLogs"]
    assert (shown["DeliverLogsStatus"], "DeliverLogsErrorMessage" in shown) == ("SUCCESS", False)
    assert scene.lines()[0][6] == "80"


def test_what_is_deleted_logs_no_more(jar: TestJar, scene: Scene) -> None:
    key = scene.log()
    scene.ec2.create_tags(Resources=[key], Tags=[{"Key": "a", "Value": "b"}])
    assert scene.ec2.describe_flow_logs(FlowLogIds=[key])["FlowLogs"][0]["Tags"] == [{"Key": "a", "Value": "b"}]
    scene.passes()
    scene.ec2.delete_flow_logs(FlowLogIds=[key])
    jar.advance(seconds=120)
    assert scene.logs.describe_log_groups()["logGroups"] == []
    assert refused(scene.ec2.delete_flow_logs, FlowLogIds=[key]) == (
        "InvalidFlowLogId.NotFound",
        f"These flow log ids in the input list are not found: [TotalCount: 1] {key}",
    )


def test_what_a_log_must_be(jar: TestJar, scene: Scene) -> None:
    asked = {
        "ResourceIds": [scene.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flows",
        "DeliverLogsPermissionArn": scene.role,
    }  # fmt: skip
    create = scene.ec2.create_flow_logs
    scene.log()
    [again] = create(**asked)["Unsuccessful"]
    assert (again["ResourceId"], again["Error"]["Code"]) == (scene.vpc, "FlowLogAlreadyExists")
    bucket = "arn:aws:s3:::nowhere"
    [nowhere] = create(
        ResourceIds=[scene.vpc], ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3", LogDestination=bucket
    )["Unsuccessful"]
    assert nowhere["Error"] == {"Code": "400", "Message": f"LogDestination: {bucket} does not exist"}
    assert code(create, **{**asked, "ResourceIds": ["vpc-00000000000000000"]}) == "InvalidVpcID.NotFound"
    for wrong in (
        {"LogFormat": "${nothing}"}, {"LogFormat": "srcaddr"}, {"MaxAggregationInterval": 61},
        {"DeliverLogsPermissionArn": ""}, {"LogGroupName": ""}, {"LogDestination": "arn:aws:logs:::log-group:x"},
    ):  # fmt: skip
        assert code(create, **{**asked, "TrafficType": "ACCEPT", **wrong}) == "InvalidParameter", wrong
    gateway = {**asked, "ResourceType": "TransitGateway", "ResourceIds": ["tgw-00000000000000000"]}
    assert code(create, **gateway) == "InvalidParameter"
    del gateway["TrafficType"]
    assert code(create, **gateway, MaxAggregationInterval=600) == "InvalidParameter"
    assert code(create, **gateway) == "InvalidTransitGatewayID.NotFound"
    assert code(create, **{**asked, "ResourceType": "RegionalNatGateway"}) == "UnsupportedOperation"


def test_who_makes_a_log_must_pass_the_role(jar: TestJar, scene: Scene) -> None:
    asked = {
        "ResourceIds": [scene.vpc], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "flows",
        "DeliverLogsPermissionArn": scene.role,
    }  # fmt: skip
    ann = user(jar, "ann", allow("ec2:CreateFlowLogs")).client("ec2")
    with refusal("UnauthorizedOperation", "iam:PassRole"):
        ann.create_flow_logs(**asked)
    to = {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}
    bob = user(jar, "bob", allow("ec2:CreateFlowLogs"), {**allow("iam:PassRole", on=scene.role), "Condition": to})
    assert bob.client("ec2").create_flow_logs(**asked)["FlowLogIds"]


def test_a_role_that_does_not_trust_delivers_nothing(jar: TestJar, scene: Scene) -> None:
    other = json.loads(TRUST)
    other["Statement"][0]["Principal"] = {"Service": "ec2.amazonaws.com"}
    scene.iam.update_assume_role_policy(RoleName="flows", PolicyDocument=json.dumps(other))
    key = scene.log()
    jar.advance(seconds=60)
    [shown] = scene.ec2.describe_flow_logs(FlowLogIds=[key])["FlowLogs"]
    assert shown["DeliverLogsErrorMessage"] == "Access error"


def test_a_transit_gateways_log_tells_both_ends_and_what_was_lost(jar: TestJar, scene: Scene) -> None:
    ec2 = scene.ec2
    hub = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    jar.settle()
    other = make_vpc(ec2, "10.9.0.0/16")
    sides = []
    for vpc, subnet in ((scene.vpc, scene.subnet), (other, make_subnet(ec2, other, "10.9.1.0/24"))):
        made = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=hub, VpcId=vpc, SubnetIds=[subnet])
        sides.append(made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"])
    jar.settle()
    asked = {"LogGroupName": "flows", "DeliverLogsPermissionArn": scene.role}
    whole = ec2.create_flow_logs(ResourceIds=[hub], ResourceType="TransitGateway", **asked)["FlowLogIds"][0]
    jar.settle()
    near, far = sides
    for target in ("10.9.1.5", "10.8.0.1"):
        jar.network.pass_by(Flow(
            interface=near, direction="ingress", action="ACCEPT", source="10.0.1.4", target=target,
            source_port=50000, target_port=80, protocol=6, packets=4, bytes=400,
        ))  # fmt: skip
    jar.advance(seconds=60)
    [shown] = ec2.describe_flow_logs(FlowLogIds=[whole])["FlowLogs"]
    assert ("TrafficType" in shown, shown["MaxAggregationInterval"], shown["ResourceId"]) == (False, 60, hub)
    names = [field[2:-1] for field in shown["LogFormat"].split()]

    def told(attachment: str) -> list[dict[str, str]]:
        return [dict(zip(names, line, strict=True)) for line in scene.lines(f"{hub}-{attachment}")]

    lost, sent = sorted(told(near), key=lambda line: line["dstaddr"])
    assert (lost["packets-lost-no-route"], lost["tgw-pair-attachment-id"]) == ("4", "-")
    assert (sent["packets-lost-no-route"], sent["packets"], sent["flow-direction"]) == ("0", "4", "ingress")
    assert (sent["tgw-src-vpc-id"], sent["tgw-dst-vpc-id"], sent["tgw-id"]) == (scene.vpc, other, hub)
    [arrived] = told(far)
    assert (arrived["flow-direction"], arrived["tgw-pair-attachment-id"], arrived["bytes"]) == ("egress", near, "400")
    ec2.create_flow_logs(ResourceIds=[far], ResourceType="TransitGatewayAttachment", **asked)
    ec2.delete_flow_logs(FlowLogIds=[whole])
    jar.settle()
    jar.advance(seconds=60)
    assert [line["log-status"] for line in told(far)][1] in ("NODATA", "SKIPDATA")
    assert len(told(near)) == 2


def test_what_was_held_before_rows_had_reasons_is_delivered(steady_jar: TestJar) -> None:
    scene = Scene(steady_jar)
    key = scene.log(LogFormat="${dstport} ${action} ${reject-reason}")
    database = steady_jar.jar.world.state.database
    with database.transaction():
        database.execute(
            "CREATE TABLE flow_pending (log TEXT, interface TEXT, direction TEXT, action TEXT, source TEXT, "
            "target TEXT, source_port INTEGER, target_port INTEGER, protocol INTEGER, packets INTEGER, "
            "bytes INTEGER, start INTEGER, stop INTEGER)"
        )
        now = int(steady_jar.clock.now().timestamp())
        row = (key, scene.eni, "ingress", "REJECT", "10.0.9.9", "10.0.1.4", 49152, 81, 6, 1, 60, now, now)
        database.execute(f"INSERT INTO flow_pending VALUES ({','.join('?' * len(row))})", row)
    Pending(database)
    assert database.query("SELECT 1 FROM sqlite_master WHERE name='flow_pending'") == []
    steady_jar.advance(seconds=60)
    assert scene.lines() == [["81", "REJECT", "-"]]
