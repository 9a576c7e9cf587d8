"""`cloudjar reach`, as somebody asks it whose connection does not come up."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal


@pytest.fixture(scope="module")
def machines(up: Terminal) -> tuple[str, str]:
    """Two machines of the default VPC in groups of their own; the second is called db."""
    ec2 = up.client("ec2")
    groups = [ec2.create_security_group(GroupName=n, Description="one")["GroupId"] for n in ("front", "back")]
    ec2.authorize_security_group_ingress(GroupId=groups[1], IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": groups[0]}]}
    ])  # fmt: skip
    named = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "db"}]}]
    return up.launch(SecurityGroupIds=groups[:1]), up.launch(SecurityGroupIds=groups[1:], TagSpecifications=named)


def test_what_is_open_and_by_which_rule(up: Terminal, machines: tuple[str, str]) -> None:
    front, back = machines
    told = up.good("reach", front, "db:5432")
    assert told.startswith("Reachable")
    assert "PortRange=5432" in told
    assert back in told
    assert up.json("reach", front, f"{back}:5432")["NetworkPathFound"] is True


def test_what_is_in_the_way(up: Terminal, machines: tuple[str, str]) -> None:
    told = up.good("reach", machines[0], "db:22")
    assert told.startswith("Not reachable")
    assert "ENI_SG_RULES_MISMATCH" in told
    assert "ENI_SG_RULES_MISMATCH" in up.good("reach", "internet", "db:5432")
    assert up.good("reach", "db", "internet:443").startswith("Reachable")
    assert up.good("reach", "db", "1.1.1.1:443").startswith("Reachable")


def test_nothing_is_left_of_the_question(up: Terminal, machines: tuple[str, str]) -> None:
    up.good("reach", machines[0], "db:22")
    ec2 = up.client("ec2")
    assert ec2.describe_network_insights_paths()["NetworkInsightsPaths"] == []
    assert ec2.describe_network_insights_analyses()["NetworkInsightsAnalyses"] == []


def test_what_cannot_be_asked(up: Terminal, machines: tuple[str, str]) -> None:
    assert "TO:PORT" in up.run("reach", machines[0], "db").err
    assert "there is no instance nobody" in up.run("reach", machines[0], "nobody:22").err
    assert "simulated" in up.run("reach", machines[0], "db:22", "--probe").err
