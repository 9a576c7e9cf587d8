"""What names mean inside a VPC."""

from __future__ import annotations

from ipaddress import IPv4Network

import msgspec
import pytest

from cloudjar.planes.dns.names import Known, lookup, outside
from cloudjar.planes.dns.spelled import spelled
from tests.planes.network.topology import eni, vpc

POOL = IPv4Network("198.18.0.0/16")
ONE = msgspec.structs.replace(
    eni(1, "subnet-public", "10.0.1.5", public="198.18.0.5", secondary=(("10.0.1.6", ""),)),
    hostname="i-1.ec2.internal")
HERE = vpc(ONE, eni(2, "subnet-private", "10.0.2.5", guest=""))


@pytest.mark.parametrize(("name", "addresses"), [
    ("i-1.ec2.internal", ("10.0.1.5",)),
    ("I-1.EC2.Internal.", ("10.0.1.5",)),
    ("ip-10-0-1-5.ec2.internal", ("10.0.1.5",)),
    ("ip-10-0-1-6.ec2.internal", ("10.0.1.6",)),
    ("ip-10-0-2-5.ec2.internal", ()),  # detached
    ("ip-10-0-1-500.ec2.internal", ()),
    ("ip-10-0-1-5.deeper.ec2.internal", ()),
    ("ec2.internal", ()),
    ("ec2-198-18-0-5.compute-1.amazonaws.com", ("10.0.1.5",)),  # the private address, from inside
    ("ec2-198-18-0-9.compute-1.amazonaws.com", ("198.18.0.9",)),
])
def test_own_names(name: str, addresses: tuple[str, ...]) -> None:
    known = lookup(HERE, POOL, name)
    assert known is not None
    assert known.addresses == addresses


@pytest.mark.parametrize("name", [
    "example.com", "ec2-1-2-3-4.compute-1.amazonaws.com", "s3.amazonaws.com", "ip-10-0-1-5.eu-west-1.compute.internal",
    "8.8.8.8.in-addr.arpa", "x.in-addr.arpa", "", "ec2internal",
])
def test_the_worlds_names_are_not_ours(name: str) -> None:
    assert lookup(HERE, POOL, name) is None


def test_names_that_spell_addresses() -> None:
    here = msgspec.structs.replace(HERE, region="eu-west-3")
    six, both = spelled("eu-west-3", "fd12::5"), spelled("eu-west-3", "fd12::5", "198.18.0.5")
    assert lookup(here, POOL, f"{six}.") == Known("ip.aws", ("fd12::5",))
    assert lookup(here, POOL, both.upper()) == Known("ip.aws", ("fd12::5", "10.0.1.5"))
    assert outside(POOL, both) == Known("ip.aws", ("fd12::5", "198.18.0.5"))
    others = (spelled("eu-west-3", "2600::1"), spelled("eu-west-3", "fd12::5", "9.9.9.9"), "x.eu-west-3.ip.aws",
              "zzzzz-" * 4 + "zzzzz.eu-west-3.ip.aws")
    assert [outside(POOL, name) for name in others] == [None] * 4


def test_other_regions_have_their_own_zones() -> None:
    there = msgspec.structs.replace(HERE, region="eu-west-1")
    assert lookup(there, POOL, "ip-10-0-1-5.eu-west-1.compute.internal") \
        == Known("eu-west-1.compute.internal", ("10.0.1.5",))
    assert lookup(there, POOL, "ec2-198-18-0-5.eu-west-1.compute.amazonaws.com") \
        == Known("eu-west-1.compute.amazonaws.com", ("10.0.1.5",))


@pytest.mark.parametrize(("name", "pointer"), [
    ("5.1.0.10.in-addr.arpa", "i-1.ec2.internal"),
    ("6.1.0.10.in-addr.arpa", "ip-10-0-1-6.ec2.internal"),
    ("9.1.0.10.in-addr.arpa", ""),
    ("5.0.18.198.in-addr.arpa", "ec2-198-18-0-5.compute-1.amazonaws.com"),
])
def test_addresses_have_names(name: str, pointer: str) -> None:
    known = lookup(HERE, POOL, name)
    assert known is not None
    assert (known.pointer, known.exists) == (pointer, bool(pointer))


def test_services_may_add_names_per_vpc() -> None:
    def extra(vpc_id: str, name: str) -> tuple[str, ...] | None:
        return {"db.internal": ("10.0.2.9",), "gone.internal": ()}.get(name) if vpc_id == "vpc-1" else None

    assert lookup(HERE, POOL, "DB.internal", extra) == Known("db.internal", ("10.0.2.9",))
    assert lookup(HERE, POOL, "gone.internal", extra) == Known("gone.internal")
    assert lookup(HERE, POOL, "other.internal", extra) is None


def test_what_a_vpc_says_of_a_name_itself_comes_first() -> None:
    here = msgspec.structs.replace(HERE, names=(("sts.us-east-1.amazonaws.com", ("10.0.1.9", "10.0.2.9")),))
    assert lookup(here, POOL, "STS.us-east-1.amazonaws.com.", lambda *_: ("1.2.3.4",)) == Known(
        "sts.us-east-1.amazonaws.com", ("10.0.1.9", "10.0.2.9"))
    assert lookup(HERE, POOL, "sts.us-east-1.amazonaws.com") is None


def test_the_host_hears_public_names_as_they_are() -> None:
    assert outside(POOL, "EC2-198-18-0-5.compute-1.amazonaws.com.") == Known("compute-1.amazonaws.com", ("198.18.0.5",))
    assert outside(POOL, "ec2-198-18-0-5.eu-west-3.compute.amazonaws.com") == Known(
        "eu-west-3.compute.amazonaws.com", ("198.18.0.5",))
    assert outside(POOL, "web.elb.amazonaws.com", lambda *asked: ("1.2.3.4",) if asked[0] == "" else None) == Known(
        "web.elb.amazonaws.com", ("1.2.3.4",))
    for theirs in ("ec2-1-2-3-4.compute-1.amazonaws.com", "ip-10-0-1-5.ec2.internal", "example.com"):
        assert outside(POOL, theirs) is None
