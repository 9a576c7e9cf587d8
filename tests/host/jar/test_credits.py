"""A real guest lives on its CPU credits: its control group says what it may, CloudWatch what it did."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from cloudjar.gateway.admin import TOKEN_HEADER
from cloudjar.planes.compute.metering import quota_of, throttled
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.account import Account
from tests.host.jar.served import RealJar, real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(300)]

WHOLE, BASELINE = 200_000, 20_000
"""Two CPUs, and a tenth of each, in microseconds of a tenth of a second."""


@pytest.fixture(scope="module")
def jar() -> Iterator[RealJar]:
    """A jar beside those of other files."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar(home=Path("/var/tmp/cloudjar-rcr"), tag="rcr", port=4591) as started:
        yield started


def _advance(jar: RealJar, **by: int) -> None:
    token = (jar.home / "admin-token").read_text()
    seconds = int(timedelta(**by).total_seconds())
    asked = Request(f"{jar.endpoint}/_cloudjar/clock?seconds={seconds}", b"", {TOKEN_HEADER: token}, method="POST")
    urlopen(asked, timeout=60).close()


def _option(ec2: Any, machine: str, option: str) -> None:
    wanted = [{"InstanceId": machine, "CpuCredits": option}]
    assert ec2.modify_instance_credit_specification(InstanceCreditSpecifications=wanted)[
        "SuccessfulInstanceCreditSpecifications"
    ]


def _datapoints(jar: RealJar, machine: str, name: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    found = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EC2", MetricName=name, Dimensions=[{"Name": "InstanceId", "Value": machine}], Period=300,
        StartTime=now - timedelta(hours=1), EndTime=now + timedelta(hours=20), Statistics=["Maximum"])  # fmt: skip
    points: list[dict[str, Any]] = found["Datapoints"]
    return sorted(points, key=lambda point: point["Timestamp"])


def test_a_guest_without_credits_is_slowed_down_until_it_is_unlimited(jar: RealJar) -> None:
    account = Account(jar)
    ec2, tag = account.ec2, jar.settings.tag
    subnet = account.subnet(account.vpc(), public=False)
    machine = account.run(subnet, CreditSpecification={"CpuCredits": "standard"}).id  # T3 begins without credits
    until(lambda: quota_of(tag, machine) == BASELINE, "the guest to be held to its baseline")

    def runs(command: str) -> bool:
        return jar.compute.run(machine, ["sh", "-c", command])[0] == 0

    until(lambda: runs("systemd-run --quiet --unit=busy sh -c 'while :; do :; done'"), "the guest to be busy")
    until(lambda: quota_of(tag, machine) == BASELINE, "the guest to have spent what it earned at rest")
    held = throttled(tag, machine)
    until(lambda: throttled(tag, machine) > held + 5, "the kernel to hold it back")
    # Its own root cannot loosen it: what it sees is its own group, below the one with the limit.
    runs("echo -1 > /sys/fs/cgroup/cpu/cpu.cfs_quota_us; echo max > /sys/fs/cgroup/cpu.max")
    assert quota_of(tag, machine) == BASELINE
    _option(ec2, machine, "unlimited")
    until(lambda: quota_of(tag, machine) == WHOLE, "the guest to have its CPUs again")
    _advance(jar, hours=1)
    for name in ("CPUUtilization", "CPUCreditUsage", "NetworkPacketsOut", "EBSWriteOps"):
        points = _datapoints(jar, machine, name)
        assert points, name
        assert max(point["Maximum"] for point in points) > 0, name
    assert _datapoints(jar, machine, "StatusCheckFailed")[-1]["Maximum"] == 0
    ec2.terminate_instances(InstanceIds=[machine])
    account.reach(machine, "terminated")
