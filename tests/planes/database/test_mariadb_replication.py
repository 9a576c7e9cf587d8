"""What MariaDB is told so that engines follow each other: who may come, from where, and what is waited for."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.planes.database import links, mariadb, mariadb_replication
from cloudjar.planes.database.port import Engine
from cloudjar.planes.database.replication import Peers, Source
from tests.planes.database.test_mariadb import engine

VERIFIER = mariadb.native("secret", b"")
FOLLOWER = links.address("db-2")


def primary(waits_for: str = "") -> Engine:
    return engine(peers=Peers(addresses=(FOLLOWER,), verifier=VERIFIER, waits_for=waits_for))


def follower(*, readable: bool = False) -> Engine:
    source = Source(
        name="shop.rds.amazonaws.com", machine="db-1", address=links.address("db-1"), port=3306, password="se'c\\ret",
        authority="CA", readable=readable,
    )  # fmt: skip
    return msgspec.structs.replace(engine(), machine="db-2", source=source)


def test_only_followers_come_and_only_from_where_they_are() -> None:
    said = mariadb_replication.peers(primary())
    assert said.startswith("SET SESSION sql_log_bin = 0;\n")
    assert f"CREATE OR REPLACE USER 'rdsrepladmin'@'{FOLLOWER}'" in said
    assert f"USING '{VERIFIER}' REQUIRE SSL;" in said
    assert f"Host NOT IN ('{FOLLOWER}')" in said
    alone = mariadb_replication.peers(engine())
    assert "CREATE" not in alone
    assert "DROP USER" in alone


def test_an_engine_waits_for_its_standby_and_for_nobody_else() -> None:
    waiting, alone = mariadb_replication.settings(primary("db-2")), mariadb_replication.settings(primary())
    assert (waiting["rpl_semi_sync_master_enabled"], alone["rpl_semi_sync_master_enabled"]) == ("ON", "OFF")
    assert waiting["rpl_semi_sync_master_wait_point"] == "AFTER_SYNC"
    # It lets go of those who wait before it is told anything that would wait too, and waits when all is said.
    assert mariadb.live(primary()).startswith("SET GLOBAL rpl_semi_sync_master_enabled = OFF;\n")
    assert "rpl_semi_sync" not in mariadb.live(primary("db-2"))
    assert mariadb_replication.last(primary("db-2")).endswith("SET GLOBAL rpl_semi_sync_master_enabled = ON;\n")
    assert "SET GLOBAL read_only = OFF;\n" in mariadb_replication.last(primary())
    assert "master" not in mariadb_replication.last(primary())


def test_a_standby_acknowledges_and_begins_only_when_it_is_told() -> None:
    standby, replica = (mariadb_replication.settings(follower(readable=one)) for one in (False, True))
    assert (standby["rpl_semi_sync_slave_enabled"], replica["rpl_semi_sync_slave_enabled"]) == ("ON", "OFF")
    assert (standby["skip_slave_start"], replica["skip_slave_start"]) == ("ON", "OFF")
    assert standby["read_only"] == replica["read_only"] == "ON"
    assert mariadb_replication.settings(engine())["read_only"] == "OFF"


@pytest.mark.parametrize("name", ["gtid_strict_mode", "server_id", "log_bin", "rpl_semi_sync_master_enabled"])
def test_no_parameter_group_decides_how_it_replicates(name: str) -> None:
    text = mariadb.configuration(engine(settings=((name, "77"),)))
    assert '"77"' not in text
    assert f"\n{name} = " in text


def test_a_follower_trusts_the_name_of_its_source_alone() -> None:
    files = mariadb_replication.files(follower())
    assert files["hosts"] == f"{links.address('db-1')} shop.rds.amazonaws.com # source\n"
    assert "MASTER_HOST = 'shop.rds.amazonaws.com'" in files["follow.sql"]
    assert "MASTER_SSL_VERIFY_SERVER_CERT = 1" in files["follow.sql"]
    assert "MASTER_PASSWORD = 'se''c\\\\ret'" in files["follow.sql"]


def test_engines_have_numbers_of_their_own() -> None:
    assert len({mariadb_replication.server_id(f"db-{n}") for n in range(1000)}) == 1000


def test_the_first_process_knows_whose_end_is_the_machines() -> None:
    told = {
        "alone": engine(), "waits": primary("db-2"), "waits for nobody": primary(), "standby": follower(),
        "replica": follower(readable=True),
    }  # fmt: skip
    assert {name: mariadb_replication.paired(one).strip() for name, one in told.items()} == {
        "alone": "no", "waits": "yes", "waits for nobody": "no", "standby": "standby", "replica": "no",
    }  # fmt: skip
