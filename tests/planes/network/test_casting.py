"""Multicasts as a plan: who may send, where copies go, and what cannot be."""

from __future__ import annotations

import msgspec
import pytest

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network import casting
from cloudjar.planes.network.audience import audience
from cloudjar.planes.network.plan import plan
from cloudjar.planes.network.port import Cast, TransitAssociation, TransitAttachment, TransitCast, TransitGateway, Vpc
from cloudjar.planes.network.site import link_name, site, tunnel_name
from tests.planes.network.topology import eni, vpc

replace = msgspec.structs.replace
SITE = site("test", "198.18.0.0/16")
ONE, TWO = eni(1, "subnet-public", "10.0.1.5"), eni(2, "subnet-private", "10.0.2.5")
CAST = Cast(domain="tgw-mcast-domain-1", attachment="tgw-attach-1", group="239.1.1.1", senders=(ONE.id,),
            members=(ONE.id, TWO.id))  # fmt: skip


def joined(*casts: Cast) -> Vpc:
    way = TransitAttachment(id="tgw-attach-1", gateway="tgw-1", subnet="subnet-public")
    return replace(vpc(ONE, TWO), transit_attachments=(way,), casts=casts)


def gateway(*attachments: str) -> TransitGateway:
    return TransitGateway(
        id="tgw-1", associations=(TransitAssociation(attachment="tgw-attach-1", vpc="vpc-1"),),
        casts=(TransitCast(domain=CAST.domain, group=CAST.group, attachments=attachments),))  # fmt: skip


def test_a_copy_goes_up_and_one_to_each_member() -> None:
    wanted = plan(joined(CAST), SITE)
    up, mac = casting.domain_via(CAST.domain, "tgw-attach-1")[4], casting.domain_mac(CAST.domain)
    assert f'dup to {up} device "{tunnel_name("tgw-attach-1")}"' in wanted.copies
    for one in (ONE, TWO):
        address = one.private[0][0]
        assert f'ip saddr != {address} dup to {address} device "{link_name(one.id)}"' in wanted.copies
    assert (up, mac) in {(n.address, n.mac) for n in wanted.neighbours}
    assert f"{up}/32" in {r.target for r in wanted.routes}
    assert f'"{link_name(ONE.id)}" . 239.1.1.1 : goto' in wanted.copies
    assert f'"{link_name(TWO.id)}" . 239.1.1.1 : goto' not in wanted.copies
    assert plan(joined(), SITE).copies == ""


def test_the_gateway_copies_to_links_that_are_there() -> None:
    hub, link = gateway("tgw-attach-1", "tgw-attach-2"), tunnel_name("tgw-attach-1")
    assert casting.hub_copies(hub, SITE, {"tgw-attach-1"}).count("dup to") == 1
    assert [device for device, _ in casting.hub_hops(hub, {"tgw-attach-1"}).values()] == [link, link]
    assert "dup to" not in casting.hub_copies(hub, SITE, set())
    assert all(casting.is_via(address) for address in casting.hub_hops(hub, {"tgw-attach-1"}))
    assert not casting.is_via("169.254.255.1")


def test_both_ends_must_say_so() -> None:
    mine = joined(CAST)
    assert audience((mine,), (gateway("tgw-attach-1"),), ONE.id, "239.1.1.1", "udp", 5000) == (TWO.id,)
    assert audience((mine,), (gateway(),), ONE.id, "239.1.1.1", "udp", 5000) == ()
    assert audience((mine,), (), ONE.id, "239.1.1.1", "udp", 5000) == ()
    assert audience((mine,), (gateway("tgw-attach-1"),), TWO.id, "239.1.1.1", "udp", 5000) == ()
    assert audience((mine,), (gateway("tgw-attach-1"),), ONE.id, "239.1.1.2", "udp", 5000) == ()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"group": "10.0.0.1"}, "is not the address of a multicast group"),
        ({"attachment": "tgw-attach-9"}, "does not have"),
    ],
)
def test_what_cannot_be(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(PlaneError, match=words):
        plan(joined(replace(CAST, **wrong)), SITE)


def test_domains_that_look_the_same_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casting, "number", lambda _: 7)
    with pytest.raises(PlaneError, match="look the same"):
        casting.refuse_twins((CAST, replace(CAST, domain="tgw-mcast-domain-2")))
