"""What engines are told so that they follow each other: who may come, from where, and whom an engine waits for."""

from __future__ import annotations

from ipaddress import IPv6Address

import msgspec

from cloudjar.planes.database import links, postgres, replication
from cloudjar.planes.database.port import Engine
from cloudjar.planes.database.replication import Peers, Source
from tests.planes.database.test_postgres import engine

VERIFIER = postgres.scram("secret", bytes(16))
FOLLOWER = links.address("db-2")


def primary(waits_for: str = "") -> Engine:
    return engine(peers=Peers(addresses=(FOLLOWER,), verifier=VERIFIER, waits_for=waits_for))


def follower(*, readable: bool = False) -> Engine:
    source = Source(
        name="shop.rds.amazonaws.com", address=links.address("db-1"), port=5432, password="se:c\\ret", authority="CA",
        readable=readable,
    )  # fmt: skip
    return msgspec.structs.replace(engine(), machine="db-2", source=source)


def files(one: Engine) -> dict[str, str]:
    """What is handed to the machine."""
    return replication.files(one)


def test_machines_have_addresses_of_their_own() -> None:
    addresses = {links.address(f"db-{n}") for n in range(1000)}
    assert len(addresses) == 1000
    assert all(str(IPv6Address(one)) == one and IPv6Address(one).is_private for one in addresses)
    assert len({links.device(f"db-{n}") for n in range(1000)}) == 1000
    assert max(len(links.device(f"db-{n}")) for n in range(20)) <= 15


def test_only_followers_come_and_only_from_where_they_are() -> None:
    lines = postgres.admission(primary()).splitlines()
    mine = f"{FOLLOWER}/128 scram-sha-256"
    assert f"hostssl replication rdsrepladmin {mine}" in lines
    assert f"hostssl postgres rdsadmin {mine}" in lines
    # The first line that fits decides.
    assert lines.index(f"hostssl postgres rdsadmin {mine}") < lines.index("host all rdsadmin all reject")
    assert lines.index("host all rdsrepladmin all reject") < lines.index("hostssl all all all scram-sha-256")
    assert not [line for line in postgres.admission(engine()).splitlines() if "scram" in line and "rds" in line]


def test_an_engine_waits_for_its_standby_and_for_nobody_else() -> None:
    assert "synchronous_standby_names = 'FIRST 1 (\"db-2\")'" in postgres.configuration(primary("db-2"))
    assert "synchronous_standby_names = ''" in postgres.configuration(primary())
    assert "SET synchronous_commit = local;" in postgres.setup(primary("db-2"))


def test_no_parameter_group_decides_who_is_waited_for() -> None:
    asked = engine(settings=(("synchronous_standby_names", "*"), ("primary_conninfo", "host=elsewhere")))
    assert "synchronous_standby_names = '*'" not in postgres.configuration(asked)
    asked = msgspec.structs.replace(asked, source=follower().source)
    assert "elsewhere" not in postgres.configuration(asked)


def test_a_follower_trusts_the_name_of_its_source_alone() -> None:
    said = postgres.configuration(follower())
    assert "host=shop.rds.amazonaws.com" in said
    assert "sslmode=verify-full" in said
    assert "application_name=db-2" in said
    assert "se:c" not in said
    assert files(follower())["conf/replication.key"] == "*:*:*:*:se\\:c\\\\ret\n"


def test_a_standby_answers_nobody_and_a_replica_does() -> None:
    assert "hot_standby = 'off'" in postgres.configuration(follower())
    assert "hot_standby = 'on'" in postgres.configuration(follower(readable=True))


def test_a_machine_ends_with_its_engine_only_where_another_one_stands_by() -> None:
    paired = {
        "alone": files(engine()), "waits": files(primary("db-2")), "waits for nobody": files(primary()),
        "standby": files(follower()), "replica": files(follower(readable=True)),
    }  # fmt: skip
    assert [name for name, held in paired.items() if held["conf/paired"] == "yes\n"] == ["waits", "standby"]
