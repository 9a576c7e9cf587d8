"""`cloudjar spot` and `cloudjar maintenance`, as somebody has them happen to a machine."""

from __future__ import annotations

from tests.cli.terminal import Terminal


def test_a_spot_instance_is_taken_away(up: Terminal) -> None:
    vm = up.launch(InstanceMarketOptions={"MarketType": "spot"})
    assert "will be terminated" in up.good("spot", "interrupt", vm)
    ec2 = up.client("ec2")
    (request,) = ec2.describe_spot_instance_requests(Filters=[{"Name": "instance-id", "Values": [vm]}])[
        "SpotInstanceRequests"
    ]
    assert request["Status"]["Code"] == "marked-for-termination"
    up.good("clock", "advance", "3m")
    (found,) = ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"]
    assert found["StateReason"]["Code"] == "Server.SpotInstanceTermination"


def test_maintenance_is_scheduled(up: Terminal) -> None:
    vm = up.launch()
    assert "not a Spot Instance" in up.run("spot", "interrupt", vm).err
    told = up.json("maintenance", vm, "system-reboot", "--in", "2d")
    status = up.client("ec2").describe_instance_status(InstanceIds=[vm], IncludeAllInstances=True)
    (event,) = status["InstanceStatuses"][0]["Events"]
    assert (event["InstanceEventId"], event["Code"]) == (told["InstanceEventId"], "system-reboot")
    assert up.run("maintenance", vm, "earthquake").code == 2
