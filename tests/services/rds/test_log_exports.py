"""Engines' logs in CloudWatch Logs; what is in them on real planes is in tests/host/jar."""

from __future__ import annotations

from cloudjar.planes.database.engine_logs import LogFile
from tests.jar import TestJar
from tests.services.rds.site import Site, refused


class Written:
    """What an engine wrote."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def files(self, _: str, __: str) -> list[LogFile]:
        return sorted(LogFile(name, len(text), 2e9) for name, text in self.held.items())

    def read(self, _: str, __: str, name: str, start: int, size: int) -> bytes:
        return self.held[name][start : start + size]


def _lines(jar: TestJar) -> list[str]:
    found = jar.client("logs").get_log_events(
        logGroupName="/aws/rds/instance/shop/postgresql", logStreamName="shop.0", startFromHead=True
    )
    return [event["message"] for event in found["events"]]


def test_whole_lines_are_brought_once_file_after_file(steady_jar: TestJar) -> None:
    jar = steady_jar
    site = Site(jar)
    with refused("InvalidParameterCombination", "You cannot use the log types 'audit'"):
        site.create(EnableCloudwatchLogsExports=["audit"])
    shown = site.available(BackupRetentionPeriod=0, EnableCloudwatchLogsExports=["postgresql"])
    assert shown["EnabledCloudwatchLogsExports"] == ["postgresql"]
    assert jar.client("iam").get_role(RoleName="AWSServiceRoleForRDS")["Role"]["Path"].startswith("/aws-service-role/")
    wrote = jar.jar.world.ports["database engine logs"] = Written()
    wrote.held["postgresql.log.12"] = b"one\ntwo\nhal"
    jar.host.drive(site.machine(), cpus=0.1)
    jar.settle()
    assert _lines(jar) == ["one", "two"]
    wrote.held["postgresql.log.12"] += b"f\n"
    wrote.held["postgresql.log.13"] = b"next hour\n"
    jar.host.drive(site.machine(), cpus=0.2)
    jar.settle()
    jar.host.drive(site.machine(), cpus=0.3)
    jar.settle()
    assert _lines(jar) == ["one", "two", "half", "next hour"]
    site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", CloudwatchLogsExportConfiguration={"DisableLogTypes": ["postgresql"]}
    )
    wrote.held["postgresql.log.13"] += b"untold\n"
    jar.host.drive(site.machine(), cpus=0.1)
    jar.settle()
    assert "EnabledCloudwatchLogsExports" not in site.show()
    assert _lines(jar)[-1] == "next hour"
