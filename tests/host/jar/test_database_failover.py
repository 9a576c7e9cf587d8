"""A Multi-AZ database on the real host: whatever happens to one machine, the same name leads to the other one, and what
was acknowledged is there."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.pair import RUIN, Pair, Writer, forced_failovers
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """One jar with one Multi-AZ instance for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Pair(jar)
        made.create(MultiAZ=True)
        yield made


def test_by_force_and_back_and_nothing_is_lost_though_the_server_dies(pair: Pair) -> None:
    before, address = pair.zones(), pair.resolve()
    found = forced_failovers(pair, 4)
    assert found.lost == set()
    assert (pair.zones(), pair.resolve()) == (before, address)
    # Who follows comes by another way than customers do.
    assert "pg_hba.conf rejects connection" in pair.said("SELECT 1", user="rdsrepladmin")[1]


def test_an_engine_that_does_not_come_back_is_left(pair: Pair) -> None:
    before = pair.zones()
    until(pair.synced, "the standby to be in sync", 120)
    with Writer(pair) as writer:
        pair.jar.inside(pair.primary(), RUIN)
        until(lambda: pair.zones() == before[::-1], "the standby to take over", 60)
        writer.more(20)
    assert writer.missing() == set()


def test_a_zone_without_power_is_left_and_used_again(pair: Pair) -> None:
    first, second = pair.zones()
    until(pair.synced, "the standby to be in sync", 120)
    with Writer(pair) as writer:
        fault = pair.fault(first)
        until(lambda: pair.zones() == (second, first), "the other zone to serve", 60)
        writer.more(20)
        pair.jar.kill()
        pair.jar.start()
        writer.more(20)
        pair.mend(fault)
        began = monotonic()
        pair.failover()
        until(lambda: pair.zones() == (first, second), "the first zone to serve again", 120)
        writer.more(20)
    assert writer.missing() == set()
    assert writer.gap(began) < 60


def test_a_replica_follows_answers_and_is_promoted(pair: Pair) -> None:
    pair.rds.modify_db_instance(DBInstanceIdentifier="shop", BackupRetentionPeriod=1, ApplyImmediately=True)
    pair.reach("shop", "available")
    pair.rds.create_db_instance_read_replica(DBInstanceIdentifier="copy", SourceDBInstanceIdentifier="shop")
    pair.reach("copy", "available")
    pair.answer("CREATE TABLE seen (n int); INSERT INTO seen VALUES (1)")
    until(lambda: pair.said("SELECT n FROM seen", "copy") == (0, "1"), "the row to be at the replica", 60)
    assert "read-only transaction" in pair.said("INSERT INTO seen VALUES (2)", "copy")[1]
    pair.failover()
    pair.reach("shop", "available")
    pair.answer("INSERT INTO seen VALUES (3)")
    until(lambda: pair.said("SELECT max(n) FROM seen", "copy") == (0, "3"), "the replica to follow the other one", 90)
    pair.rds.promote_read_replica(DBInstanceIdentifier="copy", BackupRetentionPeriod=0)
    pair.reach("copy", "available")
    assert pair.said("INSERT INTO seen VALUES (4) RETURNING n", "copy") == (0, "4")
    assert pair.answer("SELECT max(n) FROM seen") == "3"
    assert "ReadReplicaSourceDBInstanceIdentifier" not in pair.show("copy")


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_is_lost_in_fifty_failovers_with_a_server_that_dies(pair: Pair) -> None:
    found = forced_failovers(pair, 50)
    assert found.lost == set()
    assert found.acknowledged >= 500
