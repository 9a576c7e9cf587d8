"""A real guest lives on its CPU credits: its control group says what it may, CloudWatch what it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from cloudjar.gateway.admin import TOKEN_HEADER
from cloudjar.planes.compute import cgroups
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


ME = "ops@example.com"


def _now(jar: RealJar) -> float:
    """AWS's time."""
    with urlopen(Request(f"{jar.endpoint}/_cloudjar/clock", headers=_token(jar)), timeout=60) as answer:
        return datetime.fromisoformat(json.load(answer)["now"]).timestamp()


def _token(jar: RealJar) -> dict[str, str]:
    return {TOKEN_HEADER: (jar.home / "admin-token").read_text()}


def _letters(jar: RealJar) -> list[dict[str, Any]]:
    """What `cloudjar mail` shows: the newest first."""
    token = (jar.home / "admin-token").read_text()
    asked = Request(f"{jar.endpoint}/_cloudjar/mail?to={ME}", headers={TOKEN_HEADER: token})
    with urlopen(asked, timeout=60) as answer:
        found: list[dict[str, Any]] = json.load(answer)["letters"]
    return found


def _first_among_others(tag: str, machine: str) -> None:
    """A crowded host must not decide how busy the guest is: its group goes before the others."""
    for hierarchy in cgroups.hierarchies():
        group = hierarchy.path / cgroups.TOP
        for part in (tag, machine, "box"):
            for name, most in (("cpu.shares", "262144"), ("cpu.weight", "10000")):
                if (group / name).exists():
                    (group / name).write_text(most)
            group = group / part


def _watched(jar: RealJar, account: Account, name: str, block: str, period: int, times: int) -> tuple[str, str]:
    """An idle machine and a topic that writes to me, between them an alarm: CPU above 80 % for five minutes."""
    sns, cloudwatch = jar.client("sns"), jar.client("cloudwatch")
    topic = sns.create_topic(Name=name)["TopicArn"]
    known = len(_letters(jar))
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ME)
    asked = until(lambda: _letters(jar)[:-known or None], "the mail that asks to confirm")[0]
    urlopen(asked["link"], timeout=60).close()
    subnet = account.subnet(account.vpc(f"{block}.0.0/16"), f"{block}.1.0/24", public=False)
    machine = account.run(
        subnet, InstanceType="t2.micro", CreditSpecification={"CpuCredits": "unlimited"},
        Monitoring={"Enabled": period < 300},
    ).id  # fmt: skip
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="AWS/EC2", MetricName="CPUUtilization", Statistic="Average", Period=period,
        Dimensions=[{"Name": "InstanceId", "Value": machine}], EvaluationPeriods=times, Threshold=80,
        ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic])  # fmt: skip
    _first_among_others(jar.settings.tag, machine)
    return machine, topic


def _alarms(jar: RealJar, name: str) -> list[dict[str, Any]]:
    return [letter for letter in _letters(jar) if letter["subject"] == f'ALARM: "{name}" in EU (Paris)']


BUSY = "systemd-run --quiet --unit=busy sh -c 'while :; do :; done'"


def test_cpu_above_80_percent_for_five_minutes_sends_me_an_e_mail(jar: RealJar) -> None:
    account = Account(jar)
    machine, topic = _watched(jar, account, "busy", "10.7", period=300, times=1)
    _advance(jar, minutes=10)
    assert len(_letters(jar)) == 1  # it is idle: nobody is told
    jar.inside(machine, BUSY)

    def told() -> list[dict[str, Any]]:
        _advance(jar, minutes=5)
        return _alarms(jar, "busy")

    (letter,) = until(told, "the mail", 120, 1)
    assert f"[InstanceId = {machine}]" in letter["body"]
    history = jar.client("cloudwatch").describe_alarm_history(AlarmName="busy", HistoryItemType="Action")
    assert history["AlarmHistoryItems"][0]["HistorySummary"] == f"Successfully executed action {topic}"
    account.ec2.terminate_instances(InstanceIds=[machine])
    account.reach(machine, "terminated")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_same_while_nobody_moves_the_clock(jar: RealJar) -> None:
    """Six minutes of real time: five whole minutes above 80 %, each of which the guest is really busy."""
    account = Account(jar)
    machine, topic = _watched(jar, account, "really-busy", "10.8", period=60, times=5)
    cloudwatch = jar.client("cloudwatch")

    def state() -> str:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=["really-busy"])["MetricAlarms"]
        return str(alarm["StateValue"])

    until(lambda: state() == "OK", "the alarm to see an idle machine", 600, 1)
    began = _now(jar)
    jar.inside(machine, BUSY)
    (letter,) = until(lambda: _alarms(jar, "really-busy"), "the mail", 900, 1)
    # The first of the five may have begun before the guest was busy, by no more than a fifth of a minute.
    assert letter["at"] - began >= 4 * 60 + 48 - 1
    assert f"[InstanceId = {machine}]" in letter["body"]
    assert state() == "ALARM"
    history = cloudwatch.describe_alarm_history(AlarmName="really-busy", HistoryItemType="Action")
    assert [item["HistorySummary"] for item in history["AlarmHistoryItems"]] == [
        f"Successfully executed action {topic}"
    ]
    account.ec2.terminate_instances(InstanceIds=[machine])
    account.reach(machine, "terminated")
