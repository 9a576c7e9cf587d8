"""Experiments: what their role may do is done, in order and by the clock, and brought back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import launch, refused

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "fis.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
MAY = ["ec2:*", "iam:GetRole", "iam:ListRoles", "iam:ListRoleTags", "cloudwatch:DescribeAlarms"]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/chaos"


class Lab:
    """A role for experiments, and two tagged machines."""

    def __init__(self, jar: TestJar) -> None:
        self.jar = jar
        self._tokens = 0
        self.fis, self.ec2, self.iam = (jar.client(name) for name in ("fis", "ec2", "iam"))
        self.iam.create_role(RoleName="chaos", AssumeRolePolicyDocument=json.dumps(TRUST))
        self.allow(MAY)
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "chaos", "Value": "ready"}]}]
        self.machines = [launch(self.ec2, InstanceType="t2.micro", TagSpecifications=tags) for _ in range(2)]
        jar.settle()

    def token(self) -> str:
        self._tokens += 1
        return f"t{self._tokens}"

    def allow(self, actions: list[str]) -> None:
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        self.iam.put_role_policy(RoleName="chaos", PolicyName="may", PolicyDocument=json.dumps(document))

    def template(self, actions: dict[str, Any], targets: dict[str, Any] | None = None, **more: Any) -> str:
        asked: dict[str, Any] = {
            "clientToken": self.token(), "description": "d", "roleArn": ROLE, "actions": actions,
            "targets": targets or {}, "stopConditions": [{"source": "none"}], **more,
        }  # fmt: skip
        return str(self.fis.create_experiment_template(**asked)["experimentTemplate"]["id"])

    def start(self, template: str, **more: Any) -> str:
        made = self.fis.start_experiment(clientToken=self.token(), experimentTemplateId=template, **more)["experiment"]
        assert made["state"]["status"] == "pending"
        self.jar.settle()
        return str(made["id"])

    def show(self, experiment: str) -> dict[str, Any]:
        found: dict[str, Any] = self.fis.get_experiment(id=experiment)["experiment"]
        return found

    def status(self, experiment: str) -> str:
        return str(self.show(experiment)["state"]["status"])

    def states(self) -> list[str]:
        shown = self.ec2.describe_instances(InstanceIds=self.machines)["Reservations"]
        found = {vm["InstanceId"]: vm["State"]["Name"] for held in shown for vm in held["Instances"]}
        return [found[machine] for machine in self.machines]

    def later(self, **by: float) -> None:
        self.jar.advance(**by)
        self.jar.settle()


@pytest.fixture
def lab(jar: TestJar) -> Lab:
    return Lab(jar)


BOTH = {"ready": {"resourceType": "aws:ec2:instance", "resourceTags": {"chaos": "ready"}, "selectionMode": "ALL"}}


def stop(after: str = "", *, first: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "ready"}}
    if after:
        made["parameters"] = {"startInstancesAfterDuration": after}
    return {**made, "startAfter": [first]} if first else made


def test_instances_stop_and_start_again(lab: Lab) -> None:
    calm = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT2M"}}
    actions = {"calm": calm, "off": stop("PT5M", first="calm")}
    experiment = lab.start(lab.template(actions, BOTH))
    shown = lab.show(experiment)
    assert shown["state"]["status"] == "running"
    assert {name: a["state"]["status"] for name, a in shown["actions"].items()} == {"calm": "running", "off": "pending"}
    assert lab.states() == ["running", "running"]
    lab.later(minutes=2, seconds=1)
    assert lab.states() == ["stopped", "stopped"]
    lab.later(minutes=4)
    assert lab.states() == ["stopped", "stopped"]
    lab.later(minutes=2)
    assert lab.states() == ["running", "running"]
    shown = lab.show(experiment)
    assert shown["state"] == {"status": "completed", "reason": "Experiment completed."}
    assert shown["actions"]["off"]["endTime"] > shown["actions"]["off"]["startTime"]
    found = lab.fis.list_experiment_resolved_targets(experimentId=experiment)["resolvedTargets"]
    assert {one["targetInformation"]["arn"].rpartition("/")[2] for one in found} == set(lab.machines)


def test_stopped_by_hand_it_brings_back_what_it_did(lab: Lab) -> None:
    experiment = lab.start(lab.template({"off": stop("PT1H")}, BOTH))
    assert lab.states() == ["stopped", "stopped"]
    lab.fis.stop_experiment(id=experiment)
    lab.jar.settle()
    assert lab.status(experiment) == "stopped"
    assert lab.states() == ["running", "running"]
    assert refused(lab.fis.stop_experiment, id=experiment)[0] == "ValidationException"


def test_selection(lab: Lab) -> None:
    one = {"ready": {**BOTH["ready"], "selectionMode": "COUNT(1)"}}
    experiment = lab.start(lab.template({"off": stop()}, one))
    assert lab.status(experiment) == "completed"
    assert sorted(lab.states()) == ["running", "stopped"]
    half = {"ready": {**BOTH["ready"], "selectionMode": "PERCENT(50)",
                      "filters": [{"path": "State.Name", "values": ["stopped"]}]}}  # fmt: skip
    nothing = lab.start(lab.template({"off": stop()}, half))
    assert lab.status(nothing) == "failed"
    assert "empty set" in lab.show(nothing)["state"]["reason"]
    skipping = lab.template({"off": stop()}, half, experimentOptions={"emptyTargetResolutionMode": "skip"})
    skipped = lab.show(lab.start(skipping))
    assert skipped["state"]["status"] == "completed"
    assert skipped["actions"]["off"]["state"]["status"] == "skipped"


def test_a_role_does_only_what_it_may(lab: Lab) -> None:
    lab.allow(["ec2:Describe*"])
    experiment = lab.start(lab.template({"off": stop()}, BOTH))
    shown = lab.show(experiment)
    assert shown["state"]["status"] == "failed"
    assert shown["actions"]["off"]["state"]["status"] == "failed"
    assert "not authorized" in shown["actions"]["off"]["state"]["reason"]
    assert lab.states() == ["running", "running"]
    lab.iam.update_assume_role_policy(
        RoleName="chaos", PolicyDocument=json.dumps(TRUST).replace("fis.amazonaws.com", "ec2.amazonaws.com")
    )
    assert lab.status(lab.start(lab.template({"off": stop()}, BOTH))) == "failed"


def test_calls_of_a_role_fail(lab: Lab) -> None:
    trust = json.dumps(TRUST).replace('"Service": "fis.amazonaws.com"', '"AWS": "*"')
    lab.iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)
    lab.iam.put_role_policy(
        RoleName="app", PolicyName="all",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}',
    )  # fmt: skip
    user = lab.iam.create_user(UserName="u")["User"]["Arn"]
    assert user
    lab.iam.put_user_policy(
        UserName="u", PolicyName="a",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}',
    )  # fmt: skip
    key = lab.iam.create_access_key(UserName="u")["AccessKey"]
    sts = lab.jar.client("sts", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    session = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/app", RoleSessionName="se")["Credentials"]
    app = lab.jar.client(
        "ec2", key=session["AccessKeyId"], secret=session["SecretAccessKey"], token=session["SessionToken"]
    )
    app.describe_vpcs()
    parameters = {"duration": "PT10M", "service": "ec2", "percentage": "50", "operations": "DescribeVpcs,StopHosts"}
    fail = {"actionId": "aws:fis:inject-api-throttle-error", "targets": {"Roles": "apps"}, "parameters": parameters}
    apps = {"apps": {"resourceType": "aws:iam:role", "resourceArns": [f"arn:aws:iam::{ACCOUNT}:role/app"],
                     "selectionMode": "ALL"}}  # fmt: skip
    experiment = lab.start(lab.template({"fail": fail}, apps))
    assert lab.status(experiment) == "running"

    def failures(call: Any) -> int:
        seen = 0
        for _ in range(6):
            try:
                call()
            except ClientError as error:
                seen += error.response["Error"]["Code"] == "RequestLimitExceeded"
        return seen

    assert failures(app.describe_vpcs) == (0 if lab.jar.reborn else 3)
    assert failures(app.describe_route_tables) == 0
    assert failures(lab.ec2.describe_vpcs) == 0
    lab.later(minutes=11)
    assert lab.status(experiment) == "completed"
    assert failures(app.describe_vpcs) == 0


@pytest.mark.parametrize(("scope", "rules"), [("all", 0), ("availability-zone", 6), ("vpc", 2)])
def test_a_subnet_is_cut_off_and_joined_again(lab: Lab, scope: str, rules: int) -> None:
    subnets = {s["AvailabilityZone"]: s for s in lab.ec2.describe_subnets()["Subnets"]}
    subnet = subnets["eu-west-3a"]["SubnetId"]
    cut = {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "one"},
           "parameters": {"duration": "PT5M", "scope": scope}}  # fmt: skip
    one = {"one": {"resourceType": "aws:ec2:subnet", "parameters": {"availabilityZoneIdentifier": "eu-west-3a"},
                   "selectionMode": "ALL"}}  # fmt: skip

    def acl() -> dict[str, Any]:
        found = lab.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
        shown: dict[str, Any] = found["NetworkAcls"][0]
        return shown

    before = acl()["NetworkAclId"]
    experiment = lab.start(lab.template({"cut": cut}, one))
    assert lab.status(experiment) == "running", lab.show(experiment)
    during = acl()
    assert during["NetworkAclId"] != before
    own = [entry for entry in during["Entries"] if entry["RuleNumber"] < 32767]
    assert len(own) == rules
    if scope == "vpc":
        assert {entry["CidrBlock"] for entry in own} == {"172.31.0.0/16"}
    lab.later(minutes=6)
    assert lab.status(experiment) == "completed"
    assert acl()["NetworkAclId"] == before
    assert len(lab.ec2.describe_network_acls()["NetworkAcls"]) == 1


def test_an_alarm_stops_it_and_is_asserted(lab: Lab) -> None:
    watch = lab.jar.client("cloudwatch")
    watch.put_metric_alarm(
        AlarmName="too-much", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore",
    )  # fmt: skip
    arn = watch.describe_alarms()["MetricAlarms"][0]["AlarmArn"]
    watch.set_alarm_state(AlarmName="too-much", StateValue="OK", StateReason="now")
    states = {"alarmArns": arn, "alarmStates": "OK"}
    checked = {"actionId": "aws:cloudwatch:assert-alarm-state", "parameters": states}
    template = lab.template(
        {"sure": checked, "off": stop("PT1H", first="sure")}, BOTH,
        stopConditions=[{"source": "aws:cloudwatch:alarm", "value": arn}],
    )  # fmt: skip
    experiment = lab.start(template)
    assert lab.states() == ["stopped", "stopped"]
    watch.set_alarm_state(AlarmName="too-much", StateValue="ALARM", StateReason="now")
    lab.jar.settle()
    assert lab.show(experiment)["state"] == {"status": "stopped", "reason": "Experiment halted by stop condition."}
    assert lab.states() == ["running", "running"]
    unsure = lab.start(lab.template({"sure": checked}))
    assert lab.status(unsure) == "failed"


def test_the_safety_lever_stops_everything(lab: Lab) -> None:
    template = lab.template({"off": stop("PT1H")}, BOTH)
    experiment = lab.start(template)
    engaged = {"status": "engaged", "reason": "enough"}
    lever = lab.fis.update_safety_lever_state(id="default", state=engaged)["safetyLever"]
    assert lever["state"] == {"status": "engaged", "reason": "enough"}
    lab.jar.settle()
    assert lab.status(experiment) == "stopped"
    code, _ = refused(lab.fis.start_experiment, clientToken=lab.token(), experimentTemplateId=template)
    assert code == "ConflictException"
    lab.fis.update_safety_lever_state(id="default", state={"status": "disengaged", "reason": "again"})
    assert lab.status(lab.start(template, experimentOptions={"actionsMode": "skip-all"})) == "completed"


def test_templates(lab: Lab) -> None:
    template = lab.template({"off": stop()}, BOTH, tags={"a": "b"})
    assert template.startswith("EXT")
    shown = lab.fis.get_experiment_template(id=template)["experimentTemplate"]
    assert shown["tags"] == {"a": "b"}
    assert shown["targets"] == BOTH
    lab.fis.update_experiment_template(id=template, description="e")
    assert lab.fis.list_experiment_templates()["experimentTemplates"][0]["description"] == "e"
    lab.fis.tag_resource(resourceArn=shown["arn"], tags={"c": "d"})
    lab.fis.untag_resource(resourceArn=shown["arn"], tagKeys=["a"])
    assert lab.fis.list_tags_for_resource(resourceArn=shown["arn"])["tags"] == {"c": "d"}
    lab.fis.delete_experiment_template(id=template)
    assert refused(lab.fis.get_experiment_template, id=template)[0] == "ResourceNotFoundException"


WRONG: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"a": stop()}, {}, "ValidationException", "not defined"),
    ({"a": {"actionId": "aws:fis:wait"}}, {}, "ValidationException", "required parameter 'duration'"),
    ({"a": {"actionId": "aws:fis:wait", "parameters": {"duration": "5m"}}}, {}, "ValidationException", "duration"),
    ({"a": {"actionId": "aws:eks:pod-delete"}}, {}, "UnsupportedOperation", "not implemented"),
    ({"a": stop()}, {"ready": {**BOTH["ready"], "selectionMode": "SOME"}}, "ValidationException", "selection mode"),
    ({"a": stop(first="a")}, BOTH, "ValidationException", "not another action"),
    ({"a": stop(first="b"), "b": stop(first="a")}, BOTH, "ValidationException", "circle"),
    ({"a": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT5M"}}}, BOTH, "ValidationException", "not used"),
]


@pytest.mark.parametrize(("actions", "targets", "code", "words"), WRONG)
def test_wrong_templates(
    steady_jar: TestJar, actions: dict[str, Any], targets: dict[str, Any], code: str, words: str
) -> None:
    fis = steady_jar.client("fis")
    got, message = refused(
        fis.create_experiment_template, clientToken="t", description="d", roleArn=ROLE, actions=actions,
        targets=targets, stopConditions=[{"source": "none"}],
    )  # fmt: skip
    assert got == code
    assert words in message


def test_the_role_must_be_passed_on(steady_jar: TestJar) -> None:
    iam = steady_jar.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(
        UserName="u", PolicyName="a",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"fis:*","Resource":"*"}]}',
    )  # fmt: skip
    key = iam.create_access_key(UserName="u")["AccessKey"]
    fis = steady_jar.client("fis", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    wait = {"a": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT5M"}}}
    code, message = refused(
        fis.create_experiment_template, clientToken="t", description="d", roleArn=ROLE, actions=wait,
        stopConditions=[{"source": "none"}],
    )  # fmt: skip
    assert code == "AccessDeniedException"
    assert "iam:PassRole" in message


def test_what_can_be_done(steady_jar: TestJar) -> None:
    fis = steady_jar.client("fis")
    known = [one["id"] for one in fis.list_actions()["actions"]]
    assert "aws:ec2:stop-instances" in known
    assert fis.get_action(id="aws:fis:wait")["action"]["parameters"]["duration"]["required"] is True
    kinds = [one["resourceType"] for one in fis.list_target_resource_types()["targetResourceTypes"]]
    assert kinds == ["aws:ec2:instance", "aws:ec2:spot-instance", "aws:ec2:subnet", "aws:iam:role"]
    assert "vpc" in fis.get_target_resource_type(resourceType="aws:ec2:subnet")["targetResourceType"]["parameters"]
    assert refused(fis.get_action, id="aws:none")[0] == "ResourceNotFoundException"
