"""MariaDB in the places where PostgreSQL is: two zones, replicas, any second."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloudjar.planes.database.binlogs import Ended, goes_on, has, seconds
from cloudjar.services.rds.binlogs import Position, after, new_files
from tests.jar import TestJar
from tests.services.rds.site import Site, refused

MARIA: dict[str, Any] = {"Engine": "mariadb", "MasterUsername": "admin", "BackupRetentionPeriod": 3}


@pytest.fixture
def site(jar: TestJar) -> Site:
    made = Site(jar)
    made.available(**MARIA)
    return made


def test_it_gets_a_standby_fails_over_and_is_one_machine_again(site: Site) -> None:
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MultiAZ=True, ApplyImmediately=True)
    site.jar.settle()
    before = site.show()
    assert (before["MultiAZ"], before["SecondaryAvailabilityZone"]) == (True, "eu-west-3b")
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
    site.jar.settle()
    assert (site.show()["AvailabilityZone"], site.show()["DBInstanceStatus"]) == ("eu-west-3b", "available")
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MultiAZ=False, ApplyImmediately=True)
    site.jar.settle()
    assert site.show()["MultiAZ"] is False


def test_it_has_replicas_of_replicas_that_are_promoted(site: Site) -> None:
    for name, source in (("copy", "shop"), ("third", "copy")):
        site.rds.create_db_instance_read_replica(DBInstanceIdentifier=name, SourceDBInstanceIdentifier=source)
        site.jar.settle()
        site.rds.modify_db_instance(DBInstanceIdentifier=name, BackupRetentionPeriod=1, ApplyImmediately=True)
        site.jar.settle()
        assert site.show(name)["ReadReplicaSourceDBInstanceIdentifier"] == source
    site.rds.promote_read_replica(DBInstanceIdentifier="copy")
    site.jar.settle()
    assert "ReadReplicaSourceDBInstanceIdentifier" not in site.show("copy")
    assert site.show("third")["ReadReplicaSourceDBInstanceIdentifier"] == "copy"


def test_it_is_had_again_as_it_was(site: Site) -> None:
    site.jar.advance(hours=1)
    until = site.show()["LatestRestorableTime"]
    made = site.rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="shop", TargetDBInstanceIdentifier="again", RestoreTime=until,
        DBSubnetGroupName="private",
    )["DBInstance"]  # fmt: skip
    assert (made["Engine"], made["MasterUsername"]) == ("mariadb", "admin")
    site.jar.settle()
    assert site.show("again")["DBInstanceStatus"] == "available"
    with refused("InvalidParameterValue", "cannot be restored to a time later than"):
        site.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="shop", TargetDBInstanceIdentifier="late", RestoreTime=until + timedelta(days=1)
        )


def test_a_binary_log_that_nobody_needs_forbids_nothing(jar: TestJar) -> None:
    site, trust = Site(jar), "log_bin_trust_function_creators"
    site.available(**{**MARIA, "BackupRetentionPeriod": 0})
    if not jar.reborn:
        assert dict(site.engine().settings)[trust] == "1"
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", BackupRetentionPeriod=1, ApplyImmediately=True)
    jar.settle()
    if not jar.reborn:
        assert trust not in dict(site.engine().settings)
        assert dict(site.engine().settings)["binlog_expire_logs_seconds"] == "86400"


def test_its_kinds_of_logs_are_brought_and_no_others(site: Site) -> None:
    site.rds.modify_db_instance(
        DBInstanceIdentifier="shop", CloudwatchLogsExportConfiguration={"EnableLogTypes": ["error", "slowquery"]}
    )
    assert site.show()["EnabledCloudwatchLogsExports"] == ["error", "slowquery"]
    with refused("InvalidParameterCombination", "You cannot use the log types 'postgresql' with engine version maria"):
        site.rds.modify_db_instance(
            DBInstanceIdentifier="shop", CloudwatchLogsExportConfiguration={"EnableLogTypes": ["postgresql"]}
        )


FILES = (
    ("mysql-bin-changelog.000001", ""),
    ("mysql-bin-changelog.000002", "0-1-10"),
    ("mysql-bin-changelog.000003", "0-1-20"),
)


def test_what_was_not_taken_yet_is_taken_once() -> None:
    ended = Ended("0-1-30", "0-1-30", FILES)
    assert new_files(Position(), "db-1", ended) == ([name for name, _ in FILES], True)
    assert new_files(Position("db-1", FILES[1][0], "0-1-20", "0-1-10"), "db-1", ended) == ([FILES[2][0]], True)
    assert new_files(Position("db-1", FILES[2][0], "0-1-30", "0-1-20"), "db-1", ended) == ([], True)


def test_a_log_that_begins_later_than_the_instance_is_not_whole() -> None:
    assert new_files(Position(), "db-1", Ended("0-1-30", "0-1-30", FILES[1:]))[1] is False


def test_a_machine_whose_data_were_copied_anew_counts_from_one() -> None:
    anew = (("mysql-bin-changelog.000001", "0-2-40"),)
    before = Position("db-1", FILES[2][0], "0-1-30", "0-1-20")
    assert new_files(before, "db-1", Ended("0-1-50", "0-2-40,0-1-50", anew)) == ([anew[0][0]], False)
    before = Position("db-2", FILES[2][0], "0-2-44", "0-1-20")
    assert new_files(before, "db-1", Ended("0-1-50", "0-2-44,0-1-50", anew)) == ([anew[0][0]], True)


def test_a_file_that_is_gone_is_missed() -> None:
    ended = Ended("0-1-30", "0-1-30", FILES[2:])
    assert new_files(Position("db-1", FILES[0][0], "0-1-10"), "db-1", ended) == ([FILES[2][0]], False)


def test_of_another_machine_no_more_is_taken_than_is_new() -> None:
    ended = Ended("0-2-30", "0-1-25,0-2-30", FILES)
    assert new_files(Position("db-1", FILES[2][0], "0-1-25"), "db-2", ended) == ([FILES[2][0]], True)
    assert new_files(Position("db-1", FILES[2][0], "0-1-15"), "db-2", ended) == ([one for one, _ in FILES[1:]], True)


def test_what_only_the_lost_machine_had_is_noticed() -> None:
    ended = Ended("0-2-30", "0-1-24,0-2-30", FILES)
    assert new_files(Position("db-1", FILES[2][0], "0-1-25"), "db-2", ended)[1] is False


def test_names_and_instants() -> None:
    assert after("") == "binlog.0000000001"
    assert after("binlog.0000000009") == "binlog.0000000010"
    assert goes_on("0-1-10,1-1-5", "0-2-10,1-1-7")
    assert not goes_on("0-1-10,1-1-5", "0-2-10")
    assert has("0-1-10,0-2-12", "0-1-9")
    assert not has("0-2-12", "0-1-9")


def test_an_instant_between_two_seconds_counts_whole(site: Site) -> None:
    now = site.show()["InstanceCreateTime"].replace(microsecond=0)
    assert seconds(now) == now.strftime("%Y-%m-%d %H:%M:%S")
    assert seconds(now + timedelta(microseconds=1)) == seconds(now + timedelta(seconds=1))


def test_only_oracle_has_replicas_that_change_places(site: Site) -> None:
    with refused("InvalidDBInstanceState", "DB instance shop of the engine mariadb cannot be switched over."):
        site.rds.switchover_read_replica(DBInstanceIdentifier="shop")
    with refused("DBInstanceNotFound"):
        site.rds.switchover_read_replica(DBInstanceIdentifier="nobody")
