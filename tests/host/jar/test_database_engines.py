"""Engines as they are: MariaDB beside PostgreSQL, versions that are upgraded with what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.engines import PASSWORD, Site
from tests.host.jar.exported import Exports
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One jar for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        yield Site(jar)


def _rows(site: Site, sql: str, name: str = "maria") -> str:
    said = site.mysql(name, sql)
    assert said.code == 0, said
    return said.out


def test_mariadb_serves_its_master_who_is_no_superuser(site: Site) -> None:
    site.create("maria", "mariadb", BackupRetentionPeriod=1)
    assert _rows(site, "SELECT version()").startswith("10.11.")
    assert _rows(site, "SHOW STATUS LIKE 'Ssl_version'").startswith("Ssl_version|TLSv1.")
    assert "Access denied" in site.mysql("maria", "SELECT 1", password="wrong-horse-9").out
    assert site.mysql("maria", "SELECT 1", tls=False) == (0, "1")
    assert _rows(site, "SELECT CONCAT(user, '@', host) FROM mysql.user ORDER BY user") == (
        "boss@%\nmariadb.sys@localhost\nrdsadmin@localhost"
    )
    assert "SUPER" not in _rows(site, "SHOW GRANTS")
    for sql in ("SET GLOBAL max_connections = 7", "SELECT LOAD_FILE('/etc/passwd') INTO OUTFILE '/tmp/x'"):
        assert "denied" in site.mysql("maria", sql).out
    assert "Access denied" in site.mysql("maria", "SELECT 1", user="rdsadmin", password="").out
    _rows(site, "CREATE USER app IDENTIFIED BY 'app-words-9'")
    _rows(site, "GRANT SELECT ON store.* TO app")
    assert site.mysql("maria", "SELECT CURRENT_USER()", user="app", password="app-words-9").out == "app@%"


def test_mariadb_keeps_what_was_committed_and_takes_its_parameters(site: Site) -> None:
    rds = site.rds
    _rows(site, "CREATE TABLE kept AS SELECT 1 AS n")
    assert _rows(site, "SELECT @@max_connections, @@innodb_buffer_pool_size DIV 1048576, @@log_bin") == "42|768|1"
    rds.create_db_parameter_group(
        DBParameterGroupName="maria", DBParameterGroupFamily="mariadb10.11", Description="maria"
    )
    site.modify("maria", DBParameterGroupName="maria")
    wanted = [
        ("max_connections", "33", "immediate"), ("require_secure_transport", "1", "immediate"),
        ("performance_schema", "1", "pending-reboot"),
    ]  # fmt: skip
    rds.modify_db_parameter_group(
        DBParameterGroupName="maria",
        Parameters=[{"ParameterName": n, "ParameterValue": v, "ApplyMethod": m} for n, v, m in wanted],
    )
    until(lambda: _rows(site, "SELECT @@max_connections") == "33", "the dynamic parameter to be taken")
    until(lambda: site.mysql("maria", "SELECT 1", tls=False).code == 1, "TLS to be required")
    assert _rows(site, "SELECT @@performance_schema") == "0"
    rds.reset_db_parameter_group(
        DBParameterGroupName="maria", Parameters=[{"ParameterName": "max_connections", "ApplyMethod": "immediate"}]
    )
    until(lambda: _rows(site, "SELECT @@max_connections") == "42", "the usual value to be taken again")
    site.jar.inside(site.machine("maria"), "kill -9 $(cat /run/mysqld/mysqld.pid)")
    until(lambda: site.mysql("maria", "SELECT 1").code == 0, "a killed engine to be back")
    rds.reboot_db_instance(DBInstanceIdentifier="maria")
    site.reach("maria", "available")
    assert _rows(site, "SELECT @@performance_schema, @@max_connections, n FROM kept") == "1|42|1"


def test_a_snapshot_of_mariadb_is_exported_as_parquet(site: Site) -> None:
    _rows(site, "CREATE TABLE typed (id BIGINT UNSIGNED PRIMARY KEY, n INT UNSIGNED, price DECIMAL(9,2), raw BLOB, "
                "at DATETIME(6), day DATE, how ENUM('low', 'high'), said TEXT, doc JSON, part DOUBLE)")  # fmt: skip
    _rows(site, "INSERT INTO typed VALUES (18446744073709551615, 4294967295, -12.30, x'00ff', "
                "'2024-02-29 12:00:00.5', '2024-02-29', 'high', 'two\\nlines, \"quoted\"', '{\"k\": [1]}', 0.25), "
                "(1, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, NULL)")  # fmt: skip
    site.rds.create_db_snapshot(DBInstanceIdentifier="maria", DBSnapshotIdentifier="typed")
    site.reach("maria", "available")
    exports = Exports(site.jar)
    exports.whole("typed")
    assert exports.rows("typed/store/store.kept/1/") == [{"n": 1}]
    first, second = exports.rows("typed/store/store.typed/1/")
    assert second == {
        "id": Decimal(2**64 - 1), "n": 2**32 - 1, "price": Decimal("-12.30"), "raw": b"\x00\xff",
        "at": datetime(2024, 2, 29, 12, 0, 0, 500_000, UTC), "day": "2024-02-29", "how": "high",
        "said": 'two\nlines, "quoted"', "doc": '{"k": [1]}', "part": 0.25,
    }  # fmt: skip
    assert {name for name, value in first.items() if value is not None} == {"id", "said"}


def test_mariadb_is_stopped_changed_and_restored_of_a_snapshot(site: Site) -> None:
    site.rds.stop_db_instance(DBInstanceIdentifier="maria")
    site.reach("maria", "stopped")
    site.rds.start_db_instance(DBInstanceIdentifier="maria")
    site.reach("maria", "available")
    site.modify("maria", MasterUserPassword="another-one-1")
    assert "Access denied" in site.mysql("maria", "SELECT 1").out
    assert site.mysql("maria", "SELECT n FROM kept", password="another-one-1") == (0, "1")
    site.rds.create_db_snapshot(DBInstanceIdentifier="maria", DBSnapshotIdentifier="before")
    site.reach("maria", "available")
    assert site.mysql("maria", "DROP TABLE kept", password="another-one-1").code == 0
    site.delete("maria")
    site.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="again", DBSnapshotIdentifier="before", DBSubnetGroupName="private",
        VpcSecurityGroupIds=[site.group], PubliclyAccessible=False, BackupRetentionPeriod=0,
    )  # fmt: skip
    site.reach("again", "available")
    assert site.mysql("again", "SELECT n FROM kept", password="another-one-1") == (0, "1")
    site.delete("again")


def test_an_upgrade_brings_everything_along_or_changes_nothing(site: Site) -> None:
    counted = "SELECT count(*), current_setting('server_version') FROM tasks"
    site.create("pg", "postgres", EngineVersion="14.22")
    for sql in (
        "CREATE ROLE app LOGIN PASSWORD 'app-words-9'",
        "CREATE TABLE tasks (id serial PRIMARY KEY, title text)",
        "INSERT INTO tasks (title) SELECT 'task ' || n FROM generate_series(1, 1000) n",
        "GRANT SELECT ON tasks TO app",
        "CREATE EXTENSION pg_trgm",
        "CREATE DATABASE \"odd name\"",
        # What a condition is made of is not found where nothing is on the search path, as when data are put back.
        "CREATE FUNCTION one(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'",
        "CREATE FUNCTION two(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN one($1); END'",
        "ALTER TABLE tasks ADD CHECK (two(title) IS NOT NULL)",
    ):
        assert site.psql("pg", sql).code == 0
    assert site.psql("pg", counted).out == "1000|14.22"
    site.modify("pg", EngineVersion="14.23")
    assert site.psql("pg", counted).out == "1000|14.23"
    site.modify("pg", EngineVersion="15.17", AllowMajorVersionUpgrade=True)
    assert _family(site) == ("14.23", "default.postgres14")
    said = [e["Message"] for e in site.rds.describe_events(SourceType="db-instance", Duration=60)["Events"]]
    assert any("could not be upgraded from 14.23 to 15.17" in one and "one(text)" in one for one in said)
    assert site.psql("pg", counted).out == "1000|14.23"
    assert "upgrade" not in site.jar.inside(site.machine("pg"), "ls /database/")
    assert site.psql("pg", "DROP FUNCTION two(text) CASCADE").code == 0
    site.modify("pg", EngineVersion="15.17", AllowMajorVersionUpgrade=True)
    assert _family(site) == ("15.17", "default.postgres15")
    assert site.psql("pg", counted).out == "1000|15.17"
    assert site.psql("pg", "SELECT count(*) FROM tasks", user="app", password="app-words-9").out == "1000"
    assert site.psql("pg", "INSERT INTO tasks (title) VALUES ('next') RETURNING id").out.splitlines()[0] == "1001"
    assert site.psql("pg", "SELECT 1", dbname="odd name").out == "1"
    assert site.psql("pg", "SELECT 1", password=PASSWORD[:-1]).code == 2


def _family(site: Site) -> tuple[str, str]:
    shown = site.show("pg")
    return shown["EngineVersion"], shown["DBParameterGroups"][0]["DBParameterGroupName"]
