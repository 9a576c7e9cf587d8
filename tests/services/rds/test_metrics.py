"""What instances do, as CloudWatch tells it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloudjar.planes.database.figures import Figures, parsed
from tests.jar import TestJar
from tests.services.rds.site import Site

SHOP = [{"Name": "DBInstanceIdentifier", "Value": "shop"}]


def _values(jar: TestJar, name: str, dimensions: list[dict[str, str]], stat: str = "Average") -> list[float]:
    now = jar.jar.clock.now()
    found: list[dict[str, Any]] = jar.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS", MetricName=name, Dimensions=dimensions, Period=60, Statistics=[stat],
        StartTime=now - timedelta(minutes=10), EndTime=now,
    )["Datapoints"]  # fmt: skip
    return [round(point[stat], 3) for point in sorted(found, key=lambda point: point["Timestamp"])]


def test_the_load_of_an_instance_is_told_by_the_minute(steady_jar: TestJar) -> None:
    jar = steady_jar
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    jar.host.drive(site.machine(), cpus=0.5, received_bytes=1000)
    jar.settle()
    jar.advance(minutes=5)
    assert _values(jar, "CPUUtilization", SHOP)[-4:] == [25.0] * 4
    assert _values(jar, "NetworkReceiveThroughput", SHOP)[-1] == 1000
    assert _values(jar, "CPUUtilization", [{"Name": "EngineName", "Value": "postgres"}])[-1] == 25.0
    assert _values(jar, "CPUUtilization", [], "SampleCount")[-1] == 1
    names = {m["MetricName"] for m in jar.client("cloudwatch").list_metrics(Namespace="AWS/RDS")["Metrics"]}
    assert {"CPUUtilization", "WriteIOPS", "DiskQueueDepth"} <= names
    assert "DatabaseConnections" not in names  # nobody is there to be asked
    jar.host.drive(site.machine(), cpus=0.5, received_bytes=1000)
    jar.settle()
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    jar.settle()
    jar.advance(minutes=5)
    assert _values(jar, "CPUUtilization", SHOP)[-1] == 25.0
    jar.advance(minutes=20)
    assert _values(jar, "CPUUtilization", SHOP) == []


def test_disks_tell_how_long_what_took(steady_jar: TestJar) -> None:
    jar = steady_jar
    site = Site(jar)
    site.available(BackupRetentionPeriod=0)
    jar.host.drive(site.machine(), cpus=0.0)
    jar.settle()
    jar.advance(minutes=5)
    volume = jar.host.host.machines[site.machine()].spec.root.volume_id
    jar.host.worked(volume, write_ops=3000.0, written_bytes=3_000_000.0, write_ms=6000.0, queued_ms=9000.0)
    jar.settle()
    assert _values(jar, "WriteIOPS", SHOP)[-1] == 10
    assert _values(jar, "WriteThroughput", SHOP)[-1] == 10_000
    assert _values(jar, "WriteLatency", SHOP)[-1] == 0.002
    assert _values(jar, "ReadLatency", SHOP)[-1] == 0
    assert _values(jar, "DiskQueueDepth", SHOP)[-1] == 0.03


def test_what_an_engine_says_is_read_by_name() -> None:
    said = "free|1000\nconnections|3\nslots|\nodd|7\nnonsense\n"
    assert parsed(said, 5.0) == Figures(memory=5.0, free=1000.0, connections=3.0)
