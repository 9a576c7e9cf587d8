"""Which instances are managed nodes: those whose guest is up and whose role lets the agent report."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.ssm.asking import refused
from tests.services.ssm.nodes import CORE, launch, profile


def listed(store: Any, **asked: Any) -> dict[str, str]:
    found = store.describe_instance_information(**asked)["InstanceInformationList"]
    return {one["InstanceId"]: one["PingStatus"] for one in found}


def test_no_role_no_node(jar: TestJar, store: Any) -> None:
    jar.host.let_in = True
    iam = jar.client("iam")
    profile(iam)
    profile(iam, "other", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    mine = launch(jar, "node", Name="web")
    for nobody in (launch(jar), launch(jar, "other")):
        assert store.get_connection_status(Target=nobody)["Status"] == "notconnected"
    assert listed(store) == {mine: "Online"}
    found = store.describe_instance_information()["InstanceInformationList"][0]
    assert found["PlatformType"] == "Linux"
    assert (found["PlatformName"], found["PlatformVersion"]) == ("Debian GNU/Linux", "12")
    assert found["ResourceType"] == "EC2Instance"
    assert found["SourceId"] == mine
    assert store.get_connection_status(Target=mine) | {"ResponseMetadata": 0} == {
        "Target": mine,
        "Status": "connected",
        "ResponseMetadata": 0,
    }
    iam.detach_role_policy(RoleName="node", PolicyArn=CORE)
    assert store.get_connection_status(Target=mine)["Status"] == "notconnected"


def test_filters(jar: TestJar, store: Any) -> None:
    jar.host.let_in = True
    profile(jar.client("iam"))
    one, two = launch(jar, "node", Env="a"), launch(jar, "node", Env="b")
    assert set(listed(store)) == {one, two}
    assert set(listed(store, Filters=[{"Key": "InstanceIds", "Values": [two]}])) == {two}
    assert set(listed(store, Filters=[{"Key": "tag:Env", "Values": ["a"]}])) == {one}
    online = [{"key": "PingStatus", "valueSet": ["Online"]}]
    assert set(listed(store, InstanceInformationFilterList=online)) == {one, two}
    assert listed(store, Filters=[{"Key": "PingStatus", "Values": ["ConnectionLost"]}]) == {}
    with refused("InvalidFilterKey"):
        store.describe_instance_information(Filters=[{"Key": "Colour", "Values": ["red"]}])


def test_simulated_machines_are_no_nodes(jar: TestJar, store: Any) -> None:
    profile(jar.client("iam"))
    machine = launch(jar, "node")
    assert listed(store) == {}
    with refused("TargetNotConnected", f"{machine} is not connected."):
        store.start_session(Target=machine)


def test_a_node_that_went_is_remembered_until_it_is_terminated(jar: TestJar, store: Any) -> None:
    jar.host.let_in = True
    profile(jar.client("iam"))
    store.describe_instance_information()
    machine = launch(jar, "node")
    ec2 = jar.client("ec2")
    ec2.stop_instances(InstanceIds=[machine])
    jar.settle()
    assert listed(store) == {machine: "ConnectionLost"}
    ec2.start_instances(InstanceIds=[machine])
    jar.settle()
    assert listed(store) == {machine: "Online"}
    ec2.terminate_instances(InstanceIds=[machine])
    jar.settle()
    assert listed(store) == {}
