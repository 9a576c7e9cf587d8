"""Links of endpoints as plans: what passes, and what contradicts itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.plan import plan
from cloudjar.planes.network.port import Endpoint, PrivateLink
from cloudjar.planes.network.privatelinks import check, far_rules, leads, near_rules
from cloudjar.planes.network.ruleset import render
from cloudjar.planes.network.sim import SimNetwork
from cloudjar.planes.network.site import site
from tests.planes.network.topology import allow, eni, vpc

SITE = site("test", "198.18.0.0/16")
DOOR, CLIENT = eni(9, "subnet-private", "10.0.2.9", guest="eni-door", index=1), eni(1, "subnet-public", "10.0.1.5")
NODE = replace(eni(5, "subnet-public", "10.0.1.9", guest="elb-1"), relays=True)


def endpoint(**more: object) -> Endpoint:
    link = PrivateLink(interface=DOOR.id, node="elb-1", **more)  # type: ignore[arg-type]  # of the struct
    return Endpoint(id="vpce-1", kind="service", interfaces=(DOOR.id,), links=(link,))


def test_a_link_has_a_door_and_a_mark_of_its_own() -> None:
    admits = (allow("tcp", 80, "10.0.1.0/24"), allow("udp", 53), allow("tcp", 22, "::/0"), allow("tcp", 90, "sg-1"))
    laid = replace(vpc(DOOR, CLIENT), endpoints=(endpoint(admits=admits),))
    assert [link.role for link in plan(laid, SITE).links] == ["service", ""]
    [lead] = leads(laid, SITE)
    assert lead.door.startswith("240.")
    assert lead.mark & 0x8000000F == 0x80000000
    near = render(near_rules(lead))
    assert f'iifname "eth*" meta l4proto tcp dnat ip to {lead.door}' in near
    assert 'oifname "link" ip saddr 10.0.1.0/24 tcp dport 80 accept' in near
    assert "tcp dport 22" not in near  # of the other family
    assert "tcp dport 90" not in near  # of a group: who comes by a link is in none
    assert "accept" not in render(near_rules(None)).replace("policy accept", "")
    assert f'"{lead.device}" : {lead.mark:#010x}' in render(far_rules([lead]))
    assert leads(replace(laid, endpoints=(replace(endpoint(), links=()),)), SITE) == ()


def test_links_that_begin_nowhere_or_would_be_taken_for_each_other_are_refused() -> None:
    laid = replace(vpc(DOOR, CLIENT), endpoints=(replace(endpoint(), interfaces=(CLIENT.id,)),))
    with pytest.raises(PlaneError, match="not one of its interfaces"):
        leads(laid, SITE)
    [lead] = leads(replace(laid, endpoints=(endpoint(),)), SITE)
    check([lead, lead])
    with pytest.raises(PlaneError, match="cannot both lead to elb-1"):
        check([lead, replace(lead, interface="eni-0000000a")])


def test_the_answer_without_packets_follows_the_link() -> None:
    network = SimNetwork()
    provider = vpc(NODE, name="vpc-2")
    network.apply(replace(vpc(DOOR, CLIENT), endpoints=(endpoint(),)))
    answer = network.explain(CLIENT.id, "10.0.2.9", "tcp", 80)
    assert (answer.status, answer.path[-1]) == ("dropped", f"vpce-1 leads nowhere at {DOOR.id}")
    network.apply(provider)
    assert network.explain(CLIENT.id, "10.0.2.9", "tcp", 80).path[-1] == f"vpce-1 leads to {NODE.id}"
    assert network.reachable(CLIENT.id, "10.0.2.9", "udp", 80) == "dropped"
    network.apply(replace(vpc(DOOR, CLIENT), endpoints=(endpoint(admits=(allow("tcp", 81),)),)))
    assert network.reachable(CLIENT.id, "10.0.2.9", "tcp", 80) == "dropped"
    assert network.reachable(CLIENT.id, "10.0.2.9", "tcp", 81) == "open"
