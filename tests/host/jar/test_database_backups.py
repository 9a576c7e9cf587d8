"""Databases as they were at any second: under load, over a clock that was moved on, and after they are gone."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.served import real_jar, until
from tests.host.jar.test_databases import Site

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]

POINTS = int(os.environ.get("CLOUDJAR_TEST_POINTS", "1"))
"""Random seconds to go back to; each takes as long as a restore."""
DAY = 86_400
_TABLE = "CREATE TABLE IF NOT EXISTS log (n serial PRIMARY KEY, at timestamptz)"
_LOAD = """DO $$ BEGIN FOR i IN 1..{rows} LOOP
INSERT INTO log (at) VALUES (clock_timestamp()); COMMIT; PERFORM pg_sleep(0.01); END LOOP; END $$"""


class Backups(Site):
    """A database that is backed up, and who breaks it."""

    def window(self) -> tuple[datetime, datetime] | None:
        """What can be had again of the only instance that keeps backups."""
        (kept,) = self.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
        found = kept.get("RestoreWindow")
        return (found["EarliestTime"], found["LatestTime"]) if found else None

    def reaches(self, at: datetime) -> None:
        """The log is taken at the latest when AWS time is moved on."""

        def is_there() -> bool:
            seen = self.window()
            return seen is not None and seen[1] >= at

        until(is_there, f"the log up to {at}", 120, 0.1)

    def load(self, rows: int) -> list[tuple[int, datetime]]:
        """Commit rows one by one; what is in the table, by number."""
        self.answer(_TABLE)
        self.answer(_LOAD.format(rows=rows))
        said = self.answer("SELECT n, extract(epoch FROM at) FROM log ORDER BY n")
        lines = (line.split("|") for line in said.splitlines())
        return [(int(n), datetime.fromtimestamp(float(at), UTC)) for n, at in lines]

    def measured(self, name: str, after: datetime) -> float:
        """A metric of the database in the first hours after an instant."""
        found = self.jar.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/RDS", MetricName=name, Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "shop"}],
            StartTime=after + timedelta(hours=1), EndTime=after + timedelta(hours=3), Period=3600,
            Statistics=["Average"],
        )["Datapoints"]  # fmt: skip
        assert found, f"no {name}"
        return float(found[0]["Average"])

    def told(self, words: str) -> list[Any]:
        """What CloudWatch Logs has of the database's log."""
        logs = self.jar.client("logs")
        if not logs.describe_log_groups(logGroupNamePrefix="/aws/rds/instance/shop/")["logGroups"]:
            return []
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/rds/instance/shop/postgresql", filterPattern=f'"{words}"'
        )
        return [event for page in pages for event in page["events"]]

    def restore(self, name: str, **asked: Any) -> None:
        self.rds.restore_db_instance_to_point_in_time(
            TargetDBInstanceIdentifier=name, DBSubnetGroupName="private", VpcSecurityGroupIds=[self.group],
            PubliclyAccessible=False, BackupRetentionPeriod=0, **asked,
        )  # fmt: skip
        self.reach(name, "available")

    def forget(self, name: str) -> None:
        self.rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
        until(lambda: name not in self.names(), f"{name} to be gone", 120, 0.1)

    def names(self) -> list[str]:
        return [db["DBInstanceIdentifier"] for db in self.rds.describe_db_instances()["DBInstances"]]


@pytest.fixture(scope="module")
def site() -> Iterator[Backups]:
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Backups(jar)
        made.rds.modify_db_instance(DBInstanceIdentifier="shop", BackupRetentionPeriod=7, ApplyImmediately=True,
                                    CloudwatchLogsExportConfiguration={"EnableLogTypes": ["postgresql"]})  # fmt: skip
        until(lambda: made.show().get("LatestRestorableTime"), "the first backup", 120, 0.1)
        yield made


def as_of(at: datetime, log: list[tuple[int, datetime]]) -> range:
    """How many rows there may have been: a row's own time is from before its commit, the next one's from after."""
    least = sum(1 for _, own in log[1:] if own <= at)
    return range(least, least + 2)


def test_it_is_as_it_was_at_any_second_of_yesterday(site: Backups) -> None:
    rows = 300 if POINTS == 1 else 3000
    log = site.load(rows)
    first, last = log[0][1] + timedelta(seconds=1), log[-1][1]
    site.reach("shop", "available")
    site.jar.advance(DAY)
    site.reaches(last)
    assert site.measured("FreeStorageSpace", last) > 10 << 30
    assert site.measured("TransactionLogsDiskUsage", last) >= 16 << 20
    assert site.measured("MaximumUsedTransactionIDs", last) > 0
    site.answer("DROP TABLE log")
    site.psql("SELECT no_such_column")
    (newest, *_) = reversed(site.rds.describe_db_log_files(DBInstanceIdentifier="shop")["DescribeDBLogFiles"])
    asked = {"DBInstanceIdentifier": "shop", "LogFileName": newest["LogFileName"]}
    assert 'column "no_such_column" does not exist' in site.rds.download_db_log_file_portion(**asked)["LogFileData"]
    pages = site.rds.get_paginator("download_db_log_file_portion").paginate(**asked, NumberOfLines=3)
    assert "boss@store" in "".join(page["LogFileData"] for page in pages)
    until(lambda: site.told("no_such_column"), "the log to be brought to CloudWatch Logs", 180, 1)
    chance = random.Random(8)
    for number in range(POINTS):
        at = (first + chance.random() * (last - first)).replace(microsecond=0)
        site.restore(f"back-{number}", SourceDBInstanceIdentifier="shop", RestoreTime=at)
        said = site.answer("SELECT count(*), max(n) FROM log", name=f"back-{number}").split("|")
        assert int(said[0]) == int(said[1])
        assert int(said[0]) in as_of(at, log), (at, said)
        site.answer("INSERT INTO log (at) VALUES (now())", name=f"back-{number}")
        site.forget(f"back-{number}")


def test_what_is_gone_can_be_had_as_long_as_its_backups_are_kept(site: Backups) -> None:
    site.reach("shop", "available")
    site.answer("CREATE TABLE today (n int); INSERT INTO today VALUES (1)")
    resource = site.show()["DbiResourceId"]
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
    until(lambda: "shop" not in site.names(), "the instance to be gone", 120, 0.1)
    (kept,) = site.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    assert (kept["Status"], kept["DbiResourceId"]) == ("retained", resource)
    site.restore("again", SourceDbiResourceId=resource, UseLatestRestorableTime=True)
    assert site.answer("SELECT n FROM today", name="again") == "1"
    site.rds.delete_db_instance_automated_backup(DbiResourceId=resource)
    shelf = site.jar.home / "compute" / "archives" / resource
    until(lambda: not shelf.exists(), "the log to be gone", 60)
    assert site.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"] == []
