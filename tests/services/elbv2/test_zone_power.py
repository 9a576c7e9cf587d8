"""A load balancer in a zone without power: its node there goes, its name means the others, and all comes back."""

from __future__ import annotations

from cloudjar.kit.faults import breaker
from cloudjar.services.elbv2 import naming
from tests.jar import TestJar
from tests.services.elbv2.site import Site


def test_a_node_goes_with_its_zone(jar: TestJar) -> None:
    site = Site(jar)
    balancer = site.balancer()
    jar.settle()
    nodes = site.nodes()
    assert len(nodes) == len(balancer["AvailabilityZones"]) > 1
    zone = balancer["AvailabilityZones"][0]["ZoneName"]
    name = balancer["DNSName"]
    everywhere = naming.addresses(jar.jar.world, "", name.lower())
    fault = breaker(jar.jar.world).begin(jar.jar.world, "zone", zone, 0)["id"]
    jar.settle()
    assert len(site.nodes()) == len(nodes) - 1
    assert len(naming.addresses(jar.jar.world, "", name.lower())) == len(everywhere) - 1
    breaker(jar.jar.world).end(jar.jar.world, fault)
    jar.settle()
    assert site.nodes() == nodes
    assert naming.addresses(jar.jar.world, "", name.lower()) == everywhere
