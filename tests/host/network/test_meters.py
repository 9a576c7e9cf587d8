"""Bytes that cost money are counted where they pass, and counters outlive the server."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace

from cloudjar.planes.network.port import Carried, Vpc, between_zones
from tests.host.network.conftest import Host
from tests.host.network.test_beyond import nat, side
from tests.host.network.test_endpoints import hush, serve, with_interface_endpoint
from tests.host.network.test_sizes_beyond import SIZE, moved

pytestmark = pytest.mark.host


def at(host: Host, where: str) -> Carried:
    found = host.net.carried(where)
    assert found is not None
    return found


def settled(host: Host, where: str) -> Carried:
    """What was counted once a connection that was closed has said its last words."""
    seen = at(host, where)
    pause = threading.Event()
    for _ in range(100):
        pause.wait(0.2)
        before, seen = seen, at(host, where)
        if seen == before:
            return seen
    raise AssertionError(f"{where} goes on counting: {seen}")


def test_a_nat_gateway_and_its_internet_gateway_count_what_passes(host: Host) -> None:
    laid = nat(host)
    host.net.apply(laid)
    before, around = at(host, "nat-1"), at(host, laid.id)
    assert (set(before.amounts), set(around.amounts)) == ({"out", "back"}, {"internet", "regional"})
    moved(host, "i-2", "i-3", host.public(7))
    after, outside = at(host, "nat-1"), at(host, laid.id)
    assert (after.born, outside.born) == (before.born, around.born)
    assert SIZE < after.amounts["out"] - before.amounts["out"] < 2 * SIZE
    assert 0 < after.amounts["back"] - before.amounts["back"] < SIZE
    assert outside.amounts["regional"] - around.amounts["regional"] > 2 * SIZE  # out of one gateway's subnet, in again
    assert outside.amounts["internet"] == around.amounts["internet"]
    host.net.release()
    again = Host(host.state, tag=host.tag, pool=host.pool)
    again.net.apply(laid)  # a later process
    assert at(again, "nat-1") == after
    assert at(again, laid.id).born == outside.born
    again.close()
    assert host.net.carried("nat-1") is None


def test_what_goes_to_the_host_went_to_the_internet(host: Host) -> None:
    laid = nat(host)
    host.net.apply(laid)
    host.listen("i-3", 80)
    assert host.tcp("", host.public(7), 80) == "open"
    assert at(host, laid.id).amounts["internet"] > 0
    assert at(host, laid.id).amounts["regional"] == 0


def test_an_endpoint_counts_both_ways_and_a_new_one_begins_at_nothing(host: Host) -> None:
    laid = with_interface_endpoint(host, "sg-door")
    host.net.apply(laid)
    serve(host, "vpce-1")
    first = at(host, "eni-door")
    assert first.amounts == {"processed": 0}
    assert host.seen_as("i-1", "10.0.2.9", 443) == "10.0.1.5"
    counted = settled(host, "eni-door")
    assert counted.amounts["processed"] > 300
    passed = host.net.door_traffic("eni-door")
    assert passed is not None
    assert (passed.born, passed.bytes, passed.accepted, passed.open) == (
        counted.born, counted.amounts["processed"], 1, 0
    )  # fmt: skip
    assert host.tcp("i-2", "10.0.2.9", 443) == "dropped"
    assert settled(host, "eni-door") == counted  # its group kept that out
    hush(host, "vpce-1")
    host.net.remove(laid.id)
    host.net.apply(laid)
    assert at(host, "eni-door").born != first.born


def test_what_crosses_zones_is_counted_at_both_ends_and_nothing_else(host: Host) -> None:
    laid = nat(host)
    host.net.apply(laid)
    zones = between_zones(laid.id)
    before = at(host, zones)
    assert before.amounts == {"sent": 0, "got": 0}
    moved(host, "i-2", "i-3", "10.0.1.7")
    after = settled(host, zones)
    assert 2 * SIZE < sum(after.amounts.values()) < 3 * SIZE
    assert after.amounts["sent"] == after.amounts["got"]
    free = tuple(replace(eni, pays_zones=False) if eni.guest == "i-2" else eni for eni in laid.interfaces)
    host.net.apply(replace(laid, interfaces=free))
    moved(host, "i-2", "i-3", "10.0.1.7")
    assert settled(host, zones) == after
    host.net.apply(laid)
    assert at(host, zones) == after  # rules come and go, counters stay


def test_what_crosses_zones_through_a_peering_is_counted_on_each_side(host: Host) -> None:
    here, there = side(1, 2), side(2, 1)
    apart = tuple(replace(subnet, zone="us-east-1z") for subnet in there.subnets)
    there = replace(there, subnets=apart)

    def told(of: Vpc, other: Vpc) -> Vpc:
        zones = tuple((subnet.cidr, subnet.zone) for subnet in other.subnets)
        return replace(of, peerings=tuple(replace(one, zones=zones) for one in of.peerings))

    host.net.apply(told(here, there))
    host.net.apply(told(there, here))
    sender, receiver = here.interfaces[0], there.interfaces[0]
    moved(host, sender.guest, receiver.guest, receiver.private[0][0])
    mine, theirs = settled(host, between_zones(here.id)).amounts, settled(host, between_zones(there.id)).amounts
    assert SIZE < mine["sent"] < 2 * SIZE
    assert (theirs["got"], theirs["sent"]) == (mine["sent"], mine["got"])
    host.net.apply(told(here, here))  # as if the peer were in the same zone
    before = settled(host, between_zones(here.id))
    assert host.tcp(sender.guest, receiver.private[0][0], 79) == "refused"
    assert settled(host, between_zones(here.id)) == before
    far = replace(here, peerings=tuple(replace(one, abroad=True, zones=()) for one in here.peerings))
    host.net.apply(far)
    moved(host, sender.guest, receiver.guest, receiver.private[0][0])
    after = settled(host, between_zones(here.id)).amounts
    assert SIZE < after["abroad"] < 2 * SIZE  # what is sent, and not what comes back
    assert {name: after[name] for name in before.amounts} == before.amounts
