"""MariaDB in two zones: the other machine has what was acknowledged, replicas follow, any second can be had again."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.engines import Site
from tests.host.jar.ledger import Ledger
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

FAILOVERS = int(os.environ.get("CLOUDJAR_TEST_FAILOVERS", "2"))
KILL = 'kill -9 "$(cat /run/mysqld/mysqld.pid)"'
RUIN = f"mv /database/data /database/gone; {KILL}"
"""The engine ends, and no other can begin."""
WORD = "SELECT 'a word that is logged'"
TOLD = {"log_output": "FILE", "general_log": "1"}


class Shop(Site):
    """A MariaDB in two zones that keeps backups."""

    def begin(self) -> None:
        """Make it."""
        self.rds.create_db_parameter_group(
            DBParameterGroupName="told", DBParameterGroupFamily="mariadb10.11", Description="everything is told"
        )
        self.rds.modify_db_parameter_group(
            DBParameterGroupName="told",
            Parameters=[{"ParameterName": n, "ParameterValue": v, "ApplyMethod": "immediate"} for n, v in TOLD.items()],
        )
        self.create("shop", "mariadb", MultiAZ=True, BackupRetentionPeriod=7, DBParameterGroupName="told",
                    EnableCloudwatchLogsExports=["error", "general"])  # fmt: skip
        self.rows("CREATE TABLE ledger (n BIGINT PRIMARY KEY)")

    def zones(self) -> tuple[str, str]:
        """Where it is, and where its standby is."""
        shown = self.show("shop")
        return shown["AvailabilityZone"][-1], shown["SecondaryAvailabilityZone"][-1]

    def synced(self) -> bool:
        """Whether the standby may take over, as the store has it: AWS tells nobody."""
        with closing(sqlite3.connect(f"file:{self.jar.home / 'cloudjar.db'}?mode=ro", uri=True)) as store:
            return any(b"synced" in bytes(row[0]) for row in store.execute('SELECT data FROM "rds/standby"'))

    def primary(self) -> str:
        """The machine that the endpoint's name leads to."""
        address = self.resolve("shop")
        for machine in self.jar.compute.machines():
            up = machine.startswith("db-") and self.jar.compute.look(machine) == "up"
            if up and address in self.jar.inside(machine, "ip -4 -o address"):
                return machine
        raise AssertionError(f"no machine has {address}")

    def failover(self) -> None:
        """By force, as soon as the standby is in sync."""

        def asked() -> bool:
            try:
                self.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
            except ClientError as error:
                if error.response["Error"]["Code"] == "InvalidDBInstanceState":
                    return False
                raise
            return True

        until(asked, "the standby to be in sync", 180, 0.2)

    def rows(self, sql: str, name: str = "shop") -> str:
        """The answer, which must come."""
        said = self.mysql(name, sql)
        assert said.code == 0, said
        return said.out

    def window(self) -> tuple[datetime, datetime] | None:
        """What can be had again."""
        found = self.rds.describe_db_instance_automated_backups(
            Filters=[{"Name": "db-instance-id", "Values": ["shop"]}]
        )["DBInstanceAutomatedBackups"]
        kept = found[0].get("RestoreWindow") if found else None
        return (kept["EarliestTime"], kept["LatestTime"]) if kept else None

    def told(self, kind: str, words: str) -> list[Any]:
        """What CloudWatch Logs has of a log."""
        logs, group = self.jar.client("logs"), f"/aws/rds/instance/shop/{kind}"
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=f'"{words}"')
        return [event for page in pages for event in page["events"]]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One jar with one instance for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Shop(jar)
        made.begin()
        yield made


def test_whatever_happens_to_one_machine_the_other_has_what_was_acknowledged(shop: Shop) -> None:
    until(shop.window, "the first backup", 120, 0.1)
    with Ledger(shop, "shop") as ledger:
        for n in range(FAILOVERS):
            before = shop.zones()
            shop.failover()
            if n % 2:
                threading.Event().wait(0.13 * (n % 14))  # somewhere in what it takes
                shop.jar.kill()
                shop.jar.start()
            until(lambda before=before: shop.zones() == before[::-1], f"failover {n}", 180)  # type: ignore[misc]  # mypy cannot type a lambda's default
            ledger.more(10)
        until(shop.synced, "the standby to be in sync", 180)
        before = shop.zones()
        shop.jar.inside(shop.primary(), RUIN)
        until(lambda: shop.zones() == before[::-1], "the standby to take over from a lost engine", 120)
        ledger.more(20)
    assert ledger.missing() == set()


def test_it_is_as_it_was_at_a_second_after_a_failover(shop: Shop) -> None:
    """The log of the machine that was and of the one that is, each transaction once."""
    shop.reach("shop", "available")
    shop.rows("CREATE TABLE marks (n INT PRIMARY KEY)")
    shop.rows("INSERT INTO marks VALUES (1)")
    before = shop.zones()
    shop.failover()
    until(lambda: shop.zones() == before[::-1], "the failover", 180)
    shop.reach("shop", "available")
    shop.rows("INSERT INTO marks VALUES (2)")
    ledger = shop.rows("SELECT COUNT(*), MAX(n) FROM ledger")
    second = shop.rows("SELECT DATE_FORMAT(UTC_TIMESTAMP() + INTERVAL 1 SECOND, '%Y-%m-%dT%H:%i:%s')")
    at = datetime.fromisoformat(f"{second}+00:00")
    until(lambda: shop.rows(f"SELECT UTC_TIMESTAMP() > '{second}'") == "1", "the second to pass", 10, 0.1)
    shop.rows("INSERT INTO marks VALUES (3)")
    shop.jar.advance(60)
    until(lambda: (kept := shop.window()) is not None and kept[1] > at, "the second to be had", 60, 0.1)
    shop.rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="shop", TargetDBInstanceIdentifier="back", RestoreTime=at,
        DBSubnetGroupName="private", VpcSecurityGroupIds=[shop.group], PubliclyAccessible=False,
        BackupRetentionPeriod=0,
    )  # fmt: skip
    shop.reach("back", "available")
    assert shop.rows("SELECT GROUP_CONCAT(n ORDER BY n) FROM marks", "back") == "1,2"
    assert shop.rows("SELECT COUNT(*), MAX(n) FROM ledger", "back") == ledger
    shop.delete("back")


def test_a_replica_follows_over_a_failover_and_is_promoted(shop: Shop) -> None:
    shop.reach("shop", "available")
    shop.rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="shop")
    shop.reach("copy", "available")
    shop.rows("CREATE TABLE seen (n INT)")
    shop.rows("INSERT INTO seen VALUES (1)")
    until(lambda: shop.mysql("copy", "SELECT n FROM seen") == (0, "1"), "the row to be at the replica", 60)
    assert "--read-only" in shop.mysql("copy", "INSERT INTO seen VALUES (2)").out
    before = shop.zones()
    shop.failover()
    until(lambda: shop.zones() == before[::-1], "the failover", 180)
    shop.reach("shop", "available")
    shop.rows("INSERT INTO seen VALUES (3)")
    until(lambda: shop.mysql("copy", "SELECT MAX(n) FROM seen") == (0, "3"), "the replica to follow the other", 120)
    shop.rds.promote_read_replica(DBInstanceIdentifier="copy", BackupRetentionPeriod=0)
    shop.reach("copy", "available")
    shop.rows("INSERT INTO seen VALUES (4)", "copy")
    assert shop.rows("SELECT MAX(n) FROM seen") == "3"
    shop.delete("copy")


def test_what_it_writes_of_itself_can_be_read(shop: Shop) -> None:
    shop.mysql("shop", WORD)
    listed = shop.rds.describe_db_log_files(DBInstanceIdentifier="shop")["DescribeDBLogFiles"]
    names = {one["LogFileName"] for one in listed}
    assert {"error/mysql-error-running.log", "general/mysql-general.log"} <= names
    asked = {"DBInstanceIdentifier": "shop", "LogFileName": "general/mysql-general.log"}
    assert "a word that is logged" in shop.rds.download_db_log_file_portion(**asked)["LogFileData"]
    until(lambda: shop.told("general", "a word that is logged"), "the log to be in CloudWatch Logs", 240, 1)
    found = shop.jar.client("cloudwatch").list_metrics(
        Namespace="AWS/RDS", Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "shop"}]
    )["Metrics"]  # fmt: skip
    assert {"DatabaseConnections", "BinLogDiskUsage", "FreeStorageSpace"} <= {one["MetricName"] for one in found}
