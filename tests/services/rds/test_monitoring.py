"""Enhanced Monitoring: who may have it, and what its documents say."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from cloudjar.planes.database.system import Filling, Process, System
from cloudjar.services.rds import monitoring
from tests.jar import TestJar
from tests.services.rds.site import Site, refused


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


_TRUST = _policy(Principal={"Service": "monitoring.rds.amazonaws.com"}, Action="sts:AssumeRole")
_MAY = _policy(
    Action=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    Resource="arn:aws:logs:*:*:log-group:RDSOSMetrics*",
)


def monitor(jar: TestJar, trust: str = _TRUST) -> str:
    """A role for Enhanced Monitoring."""
    iam = jar.client("iam")
    arn = str(iam.create_role(RoleName="watcher", AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    iam.put_role_policy(RoleName="watcher", PolicyName="write", PolicyDocument=_MAY)
    return arn


def _system(at: float, user: float, kernel: float) -> System:
    busy = Process(id=7, parent=1, name="postgres", state="R", cpu=user, virtual=9 << 20, resident=3 << 20, begun=1.0)
    first = replace(busy, id=1, name="init", state="S", cpu=0.0, begun=0.5)
    return System(
        at=at, up=at, user=user, kernel=kernel, processes=(first, busy),
        memory={"limit": 1 << 30, "used": 1 << 29, "file": 1 << 20, "active_anon": 2 << 20, "active_file": 1 << 20},
        disk=Filling(total=20 << 30, used=5 << 30, files=1000, used_files=100),
    )  # fmt: skip


def _documents(jar: TestJar, stream: str) -> list[dict[str, Any]]:
    found = jar.client("logs").get_log_events(logGroupName="RDSOSMetrics", logStreamName=stream, startFromHead=True)
    return [json.loads(event["message"]) for event in found["events"]]


def test_what_the_system_did_is_brought_to_logs(steady_jar: TestJar) -> None:
    jar = steady_jar
    site, role = Site(jar), monitor(jar)
    shown = site.available(BackupRetentionPeriod=0, MonitoringInterval=1, MonitoringRoleArn=role)
    assert (shown["MonitoringInterval"], shown["MonitoringRoleArn"]) == (1, role)
    stream = shown["DbiResourceId"]
    assert shown["EnhancedMonitoringResourceArn"].endswith(f":log-group:RDSOSMetrics:log-stream:{stream}")
    world = jar.jar.world
    (key, (seconds, tell)), *_ = monitoring.ticks(world).watched.items()  # type: ignore[attr-defined]  # simulated
    assert (key, seconds) == (("rds/monitored", stream), 1.0)
    for at, user, kernel in ((100.0, 1.0, 0.5), (110.0, 6.0, 2.5)):
        monitoring.port(world).says[site.machine()] = _system(at, user, kernel)  # type: ignore[attr-defined]  # likewise
        assert tell()
        jar.settle()
    (said,) = _documents(jar, stream)
    assert (said["engine"], said["instanceID"], said["numVCPUs"]) == ("POSTGRES", "shop", 2)
    assert said["cpuUtilization"]["user"] == 25.0
    assert said["cpuUtilization"]["system"] == 10.0
    assert said["cpuUtilization"]["idle"] == 65.0
    assert (said["memory"]["total"], said["memory"]["free"], said["memory"]["active"]) == (1 << 20, 1 << 19, 3 << 10)
    assert said["tasks"]["running"] == 1
    assert said["fileSys"][0]["usedPercent"] == 25.0
    assert said["processList"][0]["name"] == "postgres"
    assert said["processList"][0]["cpuUsedPc"] == 50.0
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MonitoringInterval=0)
    jar.settle()
    assert monitoring.ticks(world).watched == {}  # type: ignore[attr-defined]  # simulated
    assert "MonitoringRoleArn" not in site.show()


def test_monitoring_wants_an_interval_and_a_role_that_trusts_it(jar: TestJar) -> None:
    site = Site(jar)
    role = monitor(jar)
    for asked, code, said in (
        ({"MonitoringInterval": 7, "MonitoringRoleArn": role}, "InvalidParameterValue", "monitoring interval: 7"),
        ({"MonitoringInterval": 5}, "InvalidParameterCombination", "A MonitoringRoleARN value is required"),
        ({"MonitoringRoleArn": role}, "InvalidParameterCombination", "other than 0"),
        ({"MonitoringInterval": 5, "MonitoringRoleArn": f"{role}x"}, "InvalidParameterValue", "ENHANCED_MONITORING"),
    ):
        with refused(code, said):
            site.create(**asked)
    jar.client("iam").update_assume_role_policy(
        RoleName="watcher", PolicyDocument=_TRUST.replace("monitoring.rds", "ec2")
    )
    with refused("InvalidParameterValue", "ENHANCED_MONITORING"):
        site.create(MonitoringInterval=5, MonitoringRoleArn=role)
