"""What MariaDB is told: hashes, configuration, SQL that says names as they are."""

from __future__ import annotations

import io
import tarfile

import pytest

from cloudjar.planes.database import mariadb
from cloudjar.planes.database.port import Engine


def engine(**more: object) -> Engine:
    """An engine with what it must have."""
    asked = {"machine": "db-1", "kind": "mariadb", "major": "10.11", "port": 3306, "master": "admin"}
    return Engine(**{**asked, "certificate": "CRT", "key": "KEY", **more})  # type: ignore[arg-type]  # plain values


def test_a_hash_is_what_the_engine_keeps() -> None:
    assert mariadb.native("password", b"") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"


def test_what_the_host_decides_cannot_be_set() -> None:
    text = mariadb.configuration(engine(settings=(("max_connections", "64"), ("datadir", "/etc"), ("port", "1"))))
    assert 'loose_max_connections = "64"\n' in text
    assert "/etc" not in text
    assert text.count("\nport = ") == 1
    with pytest.raises(ValueError, match="one line"):
        mariadb.configuration(engine(settings=(("init_connect", "a\nssl_key = x"),)))


def test_tls_is_needed_where_it_is_wanted() -> None:
    assert 'require_secure_transport = "ON"' in mariadb.configuration(engine())
    assert 'require_secure_transport = "OFF"' in mariadb.configuration(engine(needs_tls=False))
    assert "SET GLOBAL require_secure_transport = OFF;" in mariadb.live(engine(needs_tls=False))


def test_what_runs_is_told_values_as_they_are() -> None:
    said = mariadb.live(engine(settings=(("max_connections", "64"), ("sql_mode", "ANSI,x'y"), ("a;b", "1"))))
    assert "SET GLOBAL max_connections = 64;\n" in said
    assert "SET GLOBAL sql_mode = 'ANSI,x''y';\n" in said
    assert "a;b" not in said


def test_the_master_is_no_superuser() -> None:
    said = mariadb.setup(engine(master="ad`min'", database="sh`op", verifier="*AB"))
    assert "'ad`min'''@'%' IDENTIFIED VIA mysql_native_password USING '*AB';" in said
    assert "IF(@there = 0, 'CREATE DATABASE `sh``op`', 'DO 0');" in said
    assert "SUPER" not in said
    assert "ALL PRIVILEGES" not in said
    assert "ALTER USER" not in mariadb.setup(engine())


def test_all_goes_in_one_archive() -> None:
    with tarfile.open(fileobj=io.BytesIO(mariadb.archive(engine()))) as packed:
        assert {"conf/server.key", "conf/my.cnf", "setup.sql", "live.sql"} < set(packed.getnames())
