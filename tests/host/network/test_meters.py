"""Bytes that cost money are counted where they pass, and counters outlive the server."""

from __future__ import annotations

import threading

import pytest

from cloudjar.planes.network.port import Carried
from tests.host.network.conftest import Host
from tests.host.network.test_beyond import nat
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
    assert host.tcp("i-2", "10.0.2.9", 443) == "dropped"
    assert settled(host, "eni-door") == counted  # its group kept that out
    hush(host, "vpce-1")
    host.net.remove(laid.id)
    host.net.apply(laid)
    assert at(host, "eni-door").born != first.born
