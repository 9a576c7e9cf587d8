"""What VPC Block Public Access lets through at a VPC's internet gateways, interface by interface; pure.

The same reading serves the packet filter and reachability answers. A subnet is *open*, or *outward* (connections are
opened from here alone), or has its *gateways* (NAT gateways and what goes by the egress-only gateway, outward both),
or is *closed*.

https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cloudjar.base.errors import PlaneError
from cloudjar.planes.network.port import Interface, Openness, Vpc
from cloudjar.planes.network.ruleset import NftChain, NftSet
from cloudjar.planes.network.steps import Step


def openness(vpc: Vpc, eni: Interface) -> Openness:
    """What holds for an interface: a NAT gateway opens connections outward and no others."""
    subnet = next((s for s in vpc.subnets if s.id == eni.subnet), None)
    if subnet is None:
        raise PlaneError(f"{vpc.id} does not have the subnet {eni.subnet}.")
    if subnet.openness == "gateways" and any(n.interface == eni.id for n in vpc.nat_gateways):
        return "outward"
    return subnet.openness


def bars(vpc: Vpc) -> bool:
    """Whether anything of a VPC is not open."""
    return any(s.openness != "open" for s in vpc.subnets)


def leaves(vpc: Vpc, eni: Interface, *, answer: bool, outward: bool) -> bool:
    """Whether a packet may leave by a gateway; `outward` says that it is the egress-only one."""
    match openness(vpc, eni):
        case "open":
            return True
        case "outward":
            return not answer
        case "gateways":
            return outward and not answer
    return False


def enters(vpc: Vpc, eni: Interface, *, answer: bool, version: int) -> bool:
    """Whether a packet may come in by a gateway."""
    match openness(vpc, eni):
        case "open":
            return True
        case "outward":
            return answer
        case "gateways":
            return answer and version == 6
    return False


def refusal(vpc: Vpc, eni: Interface, direction: Literal["ingress", "egress"], gateway: str, *, back: bool) -> Step:
    """What is said of a packet that may not."""
    way = "out by" if direction == "egress" else "in by"
    text = f"Block Public Access lets nothing of this kind {way} {gateway} at {eni.subnet}"
    return Step(kind="barred", text=text, passed=False, what=gateway, direction=direction, at=eni.subnet,
                source=eni.id, target=vpc.id, back=back)  # fmt: skip


def sets(vpc: Vpc, names: dict[str, str]) -> Iterator[NftSet]:
    """Which chain decides about a link; `names` are the attached interfaces' quoted links, by id."""
    held = {i.id: mode for i in vpc.interfaces if i.id in names and (mode := openness(vpc, i)) != "open"}
    for direction in ("egress", "ingress"):
        yield NftSet(f"barred-{direction}", "ifname", tuple(
            (names[key], f"jump barred-{mode}-{direction}") for key, mode in held.items()), mapped="verdict")


def chains(outward_via: str) -> Iterator[NftChain]:
    """They return what may pass. `outward_via` is the next hop by which the egress-only gateway is known."""
    out, back = "goto barred-out", "goto barred-in"
    yield NftChain("barred-closed-egress", (out,))
    yield NftChain("barred-outward-egress", (f"ct direction reply {out}",))
    yield NftChain("barred-gateways-egress", (
        f"meta nfproto != ipv6 {out}", f"rt ip6 nexthop != {outward_via} {out}", f"ct direction reply {out}"))
    yield NftChain("barred-closed-ingress", (back,))
    yield NftChain("barred-outward-ingress", (f"ct direction original {back}",))
    yield NftChain("barred-gateways-ingress", (f"meta nfproto != ipv6 {back}", f"ct direction original {back}"))
