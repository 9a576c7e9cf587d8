"""A Multi-AZ DB cluster on the real host: what was acknowledged is there, whoever is the writer."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.fleet import Fleet
from tests.host.jar.pair import RUIN, Writer
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def fleet() -> Iterator[Fleet]:
    """One jar with one cluster for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Fleet(jar)
        made.create()
        yield made


def test_readers_answer_under_their_name_and_refuse_writes(fleet: Fleet) -> None:
    fleet.answer("CREATE TABLE seen (n int); INSERT INTO seen VALUES (1)")
    until(lambda: fleet.said("SELECT n FROM seen", "shop-readers") == (0, "1"), "the row to be at the readers", 60)
    assert "read-only transaction" in fleet.said("INSERT INTO seen VALUES (2)", "shop-readers")[1]
    met = {fleet.said("SELECT inet_server_addr()", "shop-readers")[1] for _ in range(4)}
    assert len(met) == 2
    assert fleet.answer("SELECT inet_server_addr()") not in met
    fleet.guarded()
    assert fleet.answer("SELECT string_agg(DISTINCT sync_state, ',') FROM pg_stat_replication") == "quorum"


def test_nothing_is_lost_when_writers_are_replaced_though_the_server_dies(fleet: Fleet) -> None:
    with Writer(fleet) as writer:
        for n in range(2):
            fleet.guarded()
            before = fleet.writer()
            fleet.rds.failover_db_cluster(DBClusterIdentifier="shop")
            if n % 2:
                threading.Event().wait(0.4)
                fleet.jar.kill()
                fleet.jar.start()
            fleet.moved(before, f"failover {n}")
            writer.more(10)
        fleet.guarded()
        before = fleet.writer()
        fleet.jar.inside(fleet.primary(), RUIN)
        fleet.moved(before, "its engine is ruined")
        writer.more(20)
    assert writer.missing() == set()


def test_a_zone_without_power_is_left(fleet: Fleet) -> None:
    before = "shop-instance-1"  # the backend is in the zone of another one
    fleet.failover(before)
    zone = fleet.show(before)["AvailabilityZone"][-1]
    fleet.guarded()
    with Writer(fleet) as writer:
        fault = fleet.fault(zone)
        fleet.moved(before, "its zone is dark")
        writer.more(20)
        fleet.mend(fault)
        fleet.failover(before)
        writer.more(20)
    assert writer.missing() == set()
