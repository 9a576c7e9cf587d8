"""Multi-AZ: a standby in another zone, and what becomes of the instance when its own machine is no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cloudjar.base.caller import service
from cloudjar.kit.context import Ctx
from cloudjar.kit.faults import breaker
from cloudjar.services.rds import life, pairs
from cloudjar.services.rds.records import DbInstance
from tests.jar import TestJar
from tests.services.rds.site import Site, refused


@pytest.fixture
def site(jar: TestJar) -> Site:
    return Site(jar)


def machines(site: Site) -> dict[str, str]:
    """What the host has, by machine."""
    return {name: seen for name, seen in site.jar.host.machines().items() if name.startswith("db-")}


def fault_of(site: Site, zone: str) -> str:
    """A zone without power; the fault's id."""
    world = site.jar.jar.world
    return str(breaker(world).begin(world, "zone", zone, 0)["id"])


def zones(shown: dict[str, Any]) -> tuple[str, str]:
    return shown["AvailabilityZone"], shown["SecondaryAvailabilityZone"]


def test_an_instance_has_a_standby_in_another_zone(site: Site) -> None:
    shown = site.available(MultiAZ=True)
    assert shown["DBInstanceStatus"] == "available"
    assert shown["MultiAZ"] is True
    assert zones(shown) == ("eu-west-3a", "eu-west-3b")
    assert sorted(machines(site).values()) == ["up", "up"]
    site.rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    site.jar.settle()
    assert machines(site) == {}
    left = site.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["RDSNetworkInterface"]}])
    assert left["NetworkInterfaces"] == []


def test_a_zone_is_not_chosen_for_two_machines(site: Site) -> None:
    with refused("InvalidParameterCombination", "is not valid for Multi-AZ instances"):
        site.create(MultiAZ=True, AvailabilityZone="eu-west-3a")


def test_a_reboot_with_failover_changes_the_zones(site: Site) -> None:
    before = site.available(MultiAZ=True)
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
    assert site.show()["DBInstanceStatus"] == "rebooting"
    site.jar.settle()
    after = site.show()
    assert after["DBInstanceStatus"] == "available"
    assert zones(after) == tuple(reversed(zones(before)))
    assert after["Endpoint"] == before["Endpoint"]
    said = site.said()
    assert {"Multi-AZ instance failover started.", "Multi-AZ instance failover completed"} <= set(said)
    assert sorted(machines(site).values()) == ["up", "up"]
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
    site.jar.settle()
    assert zones(site.show()) == zones(before)


def test_only_two_machines_fail_over(site: Site) -> None:
    site.available()
    with refused("InvalidParameterCombination", "Cannot perform force-failover on a Non-Multi-AZ db instance."):
        site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)


def test_it_becomes_two_machines_and_one_again(site: Site) -> None:
    site.available()
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MultiAZ=True)
    assert site.show()["PendingModifiedValues"]["MultiAZ"] is True
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MultiAZ=True, ApplyImmediately=True)
    assert site.show()["DBInstanceStatus"] == "modifying"
    site.jar.settle()
    shown = site.show()
    assert (shown["DBInstanceStatus"], shown["MultiAZ"]) == ("available", True)
    assert zones(shown) == ("eu-west-3a", "eu-west-3b")
    site.rds.modify_db_instance(DBInstanceIdentifier="shop", MultiAZ=False, ApplyImmediately=True)
    site.jar.settle()
    shown = site.show()
    assert (shown["MultiAZ"], "SecondaryAvailabilityZone" in shown) == (False, False)
    assert list(machines(site).values()) == ["up"]
    assert "Finished applying modification to convert to a standard (Single-AZ) DB instance" in site.said()


def test_a_zone_without_power_is_left(site: Site) -> None:
    before = site.available(MultiAZ=True)
    fault = fault_of(site, "eu-west-3a")
    site.jar.settle()
    after = site.show()
    assert (after["DBInstanceStatus"], zones(after)) == ("available", ("eu-west-3b", "eu-west-3a"))
    assert sorted(machines(site).values()) == ["down", "up"]
    with refused("InvalidDBInstanceState", "its standby is not in sync"):
        site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
    breaker(site.jar.jar.world).end(site.jar.jar.world, fault)
    site.jar.settle()
    assert sorted(machines(site).values()) == ["up", "up"]
    assert zones(site.show()) == tuple(reversed(zones(before)))
    site.rds.reboot_db_instance(DBInstanceIdentifier="shop", ForceFailover=True)
    site.jar.settle()
    assert zones(site.show()) == zones(before)


def test_a_lost_standby_is_built_again_and_nothing_else_happens(site: Site) -> None:
    before = site.available(MultiAZ=True)
    fault = fault_of(site, "eu-west-3b")
    site.jar.settle()
    assert zones(site.show()) == zones(before)
    assert sorted(machines(site).values()) == ["down", "up"]
    breaker(site.jar.jar.world).end(site.jar.jar.world, fault)
    site.jar.settle()
    assert sorted(machines(site).values()) == ["up", "up"]
    assert not [said for said in site.said() if "failover" in said]


def test_both_machines_rest_and_rise(site: Site) -> None:
    site.available(MultiAZ=True)
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    site.jar.settle()
    assert sorted(machines(site).values()) == ["down", "down"]
    site.rds.start_db_instance(DBInstanceIdentifier="shop")
    site.jar.settle()
    assert sorted(machines(site).values()) == ["up", "up"]


def test_two_machines_cost_twice(site: Site) -> None:
    site.available(MultiAZ=True, DBInstanceClass="db.m5.large")
    site.jar.advance(hours=10)
    assert site.jar.usage("Multi-AZUsage:db.m5.large") == timedelta(hours=10)


def standby_is(site: Site, state: str) -> None:
    """The record of the standby says so, as after a death somewhere."""
    world = site.jar.jar.world
    with world.state.database.transaction():
        (db,) = Ctx(world, "", "", service("cloudjar.internal", "")).db.everywhere(pairs.Standby)
        Ctx(world, db.account, db.region, service("cloudjar.internal", "")).db[pairs.Standby].put(
            replace(db, state=state)
        )


def lose(site: Site, zone: str) -> None:
    """The machine in a zone is gone, and the host says so."""
    world = site.jar.jar.world
    ctx = Ctx(world, "", "", service("cloudjar.internal", ""))
    known = {one.machine: one.zone for one in ctx.db.everywhere(DbInstance)}
    known |= {one.machine: one.zone for one in ctx.db.everywhere(pairs.Standby)}
    machine = next(name for name, where in known.items() if where == zone)
    site.jar.host.stop(machine, force=True)
    life.went_down(world, machine)
    site.jar.settle()


def test_a_lost_machine_is_replaced_by_the_standby(site: Site) -> None:
    before = site.available(MultiAZ=True)
    lose(site, "eu-west-3a")
    assert zones(site.show()) == tuple(reversed(zones(before)))
    assert sorted(machines(site).values()) == ["up", "up"]


@pytest.mark.parametrize("state", ["building", "joining"])
def test_a_standby_that_lacks_something_never_takes_over(site: Site, state: str) -> None:
    before = site.available(MultiAZ=True)
    standby_is(site, state)
    lose(site, "eu-west-3a")
    assert zones(site.show()) == zones(before)
    assert not [said for said in site.said() if "failover" in said]
    assert sorted(machines(site).values()) == ["up", "up"]


def test_a_takeover_that_was_cut_off_goes_on(site: Site) -> None:
    before = site.available(MultiAZ=True)
    standby_is(site, "promoting")
    site.jar.settle()
    assert zones(site.show()) == tuple(reversed(zones(before)))
    assert "Multi-AZ instance failover completed" in site.said()
    assert sorted(machines(site).values()) == ["up", "up"]


def test_who_is_stopped_in_a_takeover_is_stopped_afterwards(site: Site) -> None:
    before = site.available(MultiAZ=True)
    standby_is(site, "promoting")
    site.rds.stop_db_instance(DBInstanceIdentifier="shop")
    site.jar.settle()
    assert site.show()["DBInstanceStatus"] == "stopped"
    assert sorted(machines(site).values()) == ["down", "down"]
    site.rds.start_db_instance(DBInstanceIdentifier="shop")
    site.jar.settle()
    assert zones(site.show()) == tuple(reversed(zones(before)))
    assert sorted(machines(site).values()) == ["up", "up"]
