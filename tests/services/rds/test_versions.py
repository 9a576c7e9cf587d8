"""Engines and versions: which there are, which may become which, and what each engine's instances are told."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar
from tests.services.rds.site import Site, refused

MARIADB: dict[str, Any] = {"Engine": "mariadb", "MasterUsername": "admin", "BackupRetentionPeriod": 0}


def test_every_version_that_runs_here_says_what_it_may_become(jar: TestJar) -> None:
    rds = jar.client("rds")
    found = rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
    known = {one["EngineVersion"]: one for one in found}
    assert {one["MajorEngineVersion"] for one in found} == {"14", "15", "16", "17", "18"}
    assert all(one["DBParameterGroupFamily"] == "postgres" + one["MajorEngineVersion"] for one in found)
    targets = {one["EngineVersion"]: one for one in known["16.13"]["ValidUpgradeTarget"]}
    assert set(targets) == {"16.14", *(v for v in known if v.startswith(("17.", "18.")))}
    assert (targets["16.14"]["IsMajorVersionUpgrade"], targets["16.14"]["AutoUpgrade"]) == (False, True)
    assert (targets["18.4"]["IsMajorVersionUpgrade"], targets["18.4"]["AutoUpgrade"]) == (True, False)
    assert known["18.4"]["ValidUpgradeTarget"] == []
    (default,) = rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
    assert default["EngineVersion"] == "15.20"
    (of_major,) = rds.describe_db_engine_versions(
        Engine="postgres", EngineVersion="16", DefaultOnly=True
    )["DBEngineVersions"]  # fmt: skip
    assert of_major["EngineVersion"] == "16.14"
    maria = rds.describe_db_engine_versions(Engine="mariadb")["DBEngineVersions"]
    assert [(one["DBParameterGroupFamily"], len(one["ValidUpgradeTarget"])) for one in maria] == [
        ("mariadb10.11", 1), ("mariadb11.8", 0),
    ]  # fmt: skip
    for engine in ("mysql", "oracle-ee", "aurora-mysql"):
        assert rds.describe_db_engine_versions(Engine=engine)["DBEngineVersions"] == []


def test_a_version_is_chosen_by_its_name_or_its_major(jar: TestJar) -> None:
    site = Site(jar)
    assert site.create("a", EngineVersion="16")["EngineVersion"] == "16.14"
    assert site.create("b", EngineVersion="16.11")["EngineVersion"] == "16.11"
    made = site.create("c", EngineVersion="17.9")
    assert made["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres17"
    for version in ("16.12", "9.6.24", "13"):
        with refused("InvalidParameterCombination", f"Cannot find version {version} for postgres"):
            site.create("d", EngineVersion=version)
    with refused("UnsupportedOperation", "The engine mysql"):
        site.create("d", Engine="mysql")
    with refused("InvalidParameterValue", "Invalid DB engine"):
        site.create("d", Engine="sybase")


def test_mariadb_is_an_engine_with_rules_of_its_own(jar: TestJar) -> None:
    site = Site(jar)
    made = site.available(**MARIADB, DBName="store")
    assert (made["Endpoint"]["Port"], made["LicenseModel"]) == (3306, "general-public-license")
    assert made["DBParameterGroups"][0]["DBParameterGroupName"] == "default.mariadb10.11"
    assert made["OptionGroupMemberships"] == [{"OptionGroupName": "default:mariadb-10-11", "Status": "in-sync"}]
    for name in ("root", "mysql", "rdsadmin", "select"):
        with refused("InvalidParameterValue", f"MasterUsername {name} cannot be used"):
            site.create("x", **{**MARIADB, "MasterUsername": name})
    with refused("InvalidParameterValue", "valid identifier"):
        site.create("x", **{**MARIADB, "MasterUsername": "a" * 17})
    with refused("InvalidParameterValue", "longer than 41 characters"):
        site.create("x", **MARIADB, MasterUserPassword="a" * 42)
    with refused("InvalidParameterValue", "DBName mysql cannot be used"):
        site.create("x", **MARIADB, DBName="mysql")
    with refused("InvalidParameterCombination", "Invalid license model"):
        site.create("x", **MARIADB, LicenseModel="postgresql-license")
    with refused("InvalidParameterCombination", "can't be used for this instance"):
        site.create("x", **MARIADB, DBParameterGroupName="default.postgres15")


def test_mariadb_is_told_hashes_and_formulas(jar: TestJar) -> None:
    site = Site(jar)
    site.available(**MARIADB)
    if jar.reborn:
        return
    engine = site.engine()
    settings = dict(engine.settings)
    assert (engine.kind, engine.release, engine.needs_tls) == ("mariadb", "10.11", False)
    assert engine.verifier.startswith("*")
    assert len(engine.verifier) == 41
    assert settings["innodb_buffer_pool_size"] == str((1 << 30) * 3 // 4)
    assert settings["max_connections"] == "42"
    assert "log_bin" not in settings


def test_mariadb_writes_a_binary_log_while_it_keeps_backups(jar: TestJar) -> None:
    site = Site(jar)
    site.available(**{**MARIADB, "BackupRetentionPeriod": 1})
    if not jar.reborn:
        assert dict(site.engine().settings)["binlog_expire_logs_seconds"] == "86400"
    assert [s["Engine"] for s in site.rds.describe_db_snapshots()["DBSnapshots"]] == ["mariadb"]


def test_a_minor_upgrade_is_another_image_under_the_same_data(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=0, EngineVersion="16.11", AutoMinorVersionUpgrade=False)
    volume = jar.host.host.machines[site.machine()].spec.root.volume_id
    jar.host.write(volume, 7, "rows")
    for version in ("16.11.1", "15.20"):
        with refused("InvalidParameterCombination"):
            site.rds.modify_db_instance(DBInstanceIdentifier="shop", EngineVersion=version)
    asked = site.rds.modify_db_instance(DBInstanceIdentifier="shop", EngineVersion="16.13")["DBInstance"]
    assert asked["PendingModifiedValues"] == {"EngineVersion": "16.13"}
    asked = site.rds.modify_db_instance(DBInstanceIdentifier="shop", ApplyImmediately=True)["DBInstance"]
    assert (asked["DBInstanceStatus"], asked["EngineVersion"]) == ("upgrading", "16.11")
    jar.settle()
    shown = site.show()
    assert (shown["DBInstanceStatus"], shown["EngineVersion"]) == ("available", "16.13")
    assert shown["PendingModifiedValues"] == {}
    spec = jar.host.host.machines[site.machine()].spec
    assert spec.follows_image
    assert jar.host.read(volume, 7) == "rows"
    assert "Database instance patched" in site.said()
    assert site.rds.describe_db_snapshots()["DBSnapshots"] == []


def test_maintenance_brings_the_newest_minor_by_itself(jar: TestJar) -> None:
    site = Site(jar)
    window = {"BackupRetentionPeriod": 0, "PreferredMaintenanceWindow": "mon:03:00-mon:04:00"}
    site.available("one", EngineVersion="17.7", **window)
    site.available("two", EngineVersion="17.7", **window, AutoMinorVersionUpgrade=False)
    newest = site.rds.describe_db_engine_versions(Engine="postgres", EngineVersion="17")["DBEngineVersions"][-1]
    jar.advance(days=7)
    jar.settle()
    assert (site.show("one")["EngineVersion"], site.show("two")["EngineVersion"]) == (newest["EngineVersion"], "17.7")


def test_a_major_upgrade_is_asked_for_twice_and_leaves_a_snapshot(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=1, EngineVersion="15")
    asked: dict[str, Any] = {"DBInstanceIdentifier": "shop", "EngineVersion": "17", "ApplyImmediately": True}
    with refused("InvalidParameterCombination", "The AllowMajorVersionUpgrade flag must be present"):
        site.rds.modify_db_instance(**asked)
    site.rds.create_db_parameter_group(
        DBParameterGroupName="mine", DBParameterGroupFamily="postgres15", Description="mine"
    )
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", DBParameterGroupName="mine")
    asked["AllowMajorVersionUpgrade"] = True
    with refused("InvalidParameterCombination", "The current DB parameter group mine is custom."):
        site.rds.modify_db_instance(**asked)
    with refused("InvalidParameterCombination", "can't be used for this instance"):
        site.rds.modify_db_instance(**asked, DBParameterGroupName="mine")
    site.rds.modify_db_instance(**asked, DBParameterGroupName="default.postgres17")
    jar.settle()
    shown = site.show()
    assert shown["DBInstanceStatus"] == "available"
    assert shown["EngineVersion"].startswith("17.")
    assert shown["DBParameterGroups"][0]["DBParameterGroupName"] == "default.postgres17"
    assert shown["OptionGroupMemberships"][0]["OptionGroupName"] == "default:postgres-17"
    manual = site.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    (before,) = [s for s in manual if s["DBSnapshotIdentifier"].startswith("preupgrade-shop-15-")]
    assert (before["Status"], before["EngineVersion"].partition(".")[0]) == ("available", "15")
