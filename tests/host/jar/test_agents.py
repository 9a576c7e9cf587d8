"""A machine tells CloudWatch of itself, by the agent in its image: its role's credentials, the API's public names over
the VPC's way out, and certificates that the machine believes by itself."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from tests.host.jar.account import Account, Machine
from tests.host.jar.served import REGION, RealJar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]

CONTROL = "/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
CONFIGURATION = {
    "logs": {"logs_collected": {"files": {"collect_list": [
        {"file_path": "/var/log/shop.log", "log_group_name": "shop", "log_stream_name": "{instance_id}",
         "retention_in_days": 3}]}}, "force_flush_interval": 1},
    "metrics": {"append_dimensions": {"InstanceId": "${aws:InstanceId}"}, "metrics_collected": {
        "mem": {"measurement": ["mem_used_percent"], "metrics_collection_interval": 1},
        "disk": {"measurement": ["used_percent"], "resources": ["/"], "drop_device": True}}},
}  # fmt: skip
ASK = """
imds=http://169.254.169.254/latest
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $imds/api/token)
ask() { curl -sf -H "X-aws-ec2-metadata-token: $token" "$imds/meta-data/iam/security-credentials/$1"; }
ask "$(ask '')" > /root/keys.json
said() { jq -r ".$1" /root/keys.json; }
curl -s -m %d --aws-sigv4 aws:amz:%s:%s --user "$(said AccessKeyId):$(said SecretAccessKey)" \
    -H "X-Amz-Security-Token: $(said Token)" \
    -H "X-Amz-Content-Sha256: $(printf '' | sha256sum | cut -c1-64)" "%s" || echo "curl: $?"
"""


class World(NamedTuple):
    """A machine with a role, in a VPC with a way out."""

    jar: RealJar
    account: Account
    vpc: str
    gateway: str
    guest: Machine

    def ask(self, service: str, url: str, wait: int = 20) -> str:
        """What the API says to the machine's role."""
        return self.jar.inside(self.guest.id, ASK % (wait, REGION, service, url), wait + 60)

    def control(self, *words: str) -> str:
        return self.jar.inside(self.guest.id, f"{CONTROL} {' '.join(words)} 2>&1 || true", 60)


@pytest.fixture(scope="module")
def world(real: RealJar) -> World:
    account, iam = Account(real), real.client("iam")
    vpc = account.vpc()
    gateway = account.gateway(vpc)
    subnet, group = account.subnet(vpc, public=True), account.group(vpc, "agents")
    iam.create_role(RoleName="agent", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}))
    for name in ("CloudWatchAgentServerPolicy", "AmazonS3ReadOnlyAccess"):
        iam.attach_role_policy(RoleName="agent", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    iam.create_instance_profile(InstanceProfileName="agent")
    iam.add_role_to_instance_profile(InstanceProfileName="agent", RoleName="agent")
    guest = account.run(subnet, group, IamInstanceProfile={"Name": "agent"})
    until(lambda: real.compute.run(guest.id, ["curl", "--version"])[0] == 0, "the machine to be entered")
    return World(real, account, vpc, gateway, guest)


def test_the_api_answers_under_its_public_names_with_certificates_that_are_believed(world: World) -> None:
    until(lambda: "assumed-role/agent/" in world.ask(
        "sts", f"https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"), "STS to answer")
    assert "AccessDenied" in world.ask("iam", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
    s3 = world.jar.client("s3")
    s3.create_bucket(Bucket="jam", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="jam", Key="pot", Body=b"strawberry")
    for url in (f"https://jam.s3.{REGION}.amazonaws.com/pot", f"http://s3.{REGION}.amazonaws.com/jam/pot"):
        assert world.ask("s3", url) == "strawberry"
    unbuilt = world.jar.inside(world.guest.id, f"getent ahostsv4 gamelift.{REGION}.amazonaws.com")
    assert unbuilt.split()[0] == world.jar.network.host_address, "no call goes to the real cloud"


def events(world: World) -> list[dict[str, Any]]:
    logs = world.jar.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix="shop")["logGroups"]:
        return []
    found: list[dict[str, Any]] = logs.filter_log_events(logGroupName="shop")["events"]
    return found


def test_files_become_log_events_and_figures_metrics(world: World) -> None:
    assert '"status": "stopped"' in world.control("-a", "status")
    ssm = world.jar.client("ssm")
    ssm.put_parameter(Name="AmazonCloudWatch-shop", Type="String", Value=json.dumps(CONFIGURATION))
    told = world.control("-a", "fetch-config", "-m", "ec2", "-s", "-c", "ssm:AmazonCloudWatch-shop")
    assert "Successfully fetched the config" in told, told
    world.jar.inside(world.guest.id, "printf 'sold a jar\\nsold two\\n' >> /var/log/shop.log")
    until(lambda: len(events(world)) == 2, f"log events: {world.control('-a', 'status')}")
    assert [(e["message"], e["logStreamName"]) for e in events(world)] == [
        ("sold a jar", world.guest.id), ("sold two", world.guest.id)]
    (group,) = world.jar.client("logs").describe_log_groups(logGroupNamePrefix="shop")["logGroups"]
    assert group["retentionInDays"] == 3
    cloudwatch = world.jar.client("cloudwatch")

    def metrics() -> dict[str, list[dict[str, str]]]:
        return {m["MetricName"]: m["Dimensions"] for m in cloudwatch.list_metrics(Namespace="CWAgent")["Metrics"]}

    until(lambda: {"mem_used_percent", "disk_used_percent"} <= set(metrics()), "metrics")
    assert metrics()["mem_used_percent"] == [{"Name": "InstanceId", "Value": world.guest.id}]
    assert {"Name": "path", "Value": "/"} in metrics()["disk_used_percent"]


def test_they_are_told_in_awss_time_and_go_on_after_the_server_was_killed(world: World) -> None:
    world.jar.advance(40 * 86400)
    world.jar.kill()
    world.jar.inside(world.guest.id, "echo 'sold while nobody listened' >> /var/log/shop.log")
    world.jar.start()
    world.jar.inside(world.guest.id, "echo 'sold later' >> /var/log/shop.log")
    until(lambda: [e["message"] for e in events(world)][-2:] == ["sold while nobody listened", "sold later"],
          "what came meanwhile")  # fmt: skip
    seen = world.account.ec2.describe_instances(InstanceIds=[world.guest.id])["Reservations"][0]["Instances"][0]
    began = seen["LaunchTime"].timestamp() * 1000
    assert events(world)[-1]["timestamp"] - began > 39 * 86_400_000


def test_without_a_way_out_the_names_lead_nowhere(world: World) -> None:
    world.account.ec2.delete_route(
        RouteTableId=world.account.main_table(world.vpc), DestinationCidrBlock="0.0.0.0/0")
    url = f"https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    until(lambda: world.ask("sts", url, 1).endswith("curl: 28"), "calls to time out")
