"""Where an endpoint's interfaces lead, as the network plane wants it: to the node of a load balancer in the same zone.

The node's security groups decide about the clients' own addresses, unless the load balancer has none, or leaves what
comes by private links alone. Rules that name a group or a prefix list: nobody who comes by a link is in a group.
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudjar.kit.db import Db
from cloudjar.planes.network import port
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.prefix_lists.records import PrefixList
from cloudjar.services.ec2.security_groups.within import rules_in
from cloudjar.services.ec2.vpc_endpoint_services.finding import endpoints_of, is_own, nodes
from cloudjar.services.ec2.vpc_endpoint_services.records import EndpointService
from cloudjar.services.ec2.vpc_endpoints.records import VpcEndpoint


def links(db: Db, endpoint: VpcEndpoint, live: set[str]) -> tuple[port.PrivateLink, ...]:
    """An endpoint's links; none while it is not available, or is to no service of somebody's own."""
    if not is_own(endpoint.service) or endpoint.state != "available":
        return ()
    service = db.find(EndpointService, endpoint.service.rpartition(".")[2])
    if service is None:
        return ()
    own = db.at(service.account, service.region)
    there: dict[str, NetworkInterface] = {}
    for node in nodes(db, service):
        if node.powered:
            there.setdefault(node.zone_id, node)
    found = []
    for key in endpoint.interfaces:
        eni = db[NetworkInterface].get(key)
        far = there.get(eni.zone_id) if eni is not None and eni.id in live else None
        if far is not None:
            found.append(port.PrivateLink(interface=key, node=far.instance_id, admits=admitted(own, far)))
    return tuple(found)


def admitted(db: Db, node: NetworkInterface) -> tuple[port.Rule, ...] | None:
    """The rules of a node's groups for those who come by a link; None when no group decides. `db` is its owner's."""
    if node.unguarded or node.links_unguarded:
        return None
    rules = [rule for rule in rules_in(db, node.vpc_id) if rule.group_id in node.groups and not rule.egress]
    return tuple(
        port.Rule(
            direction="ingress", protocol=rule.protocol, from_port=rule.from_port, to_port=rule.to_port, peer=peer
        )
        for rule in sorted(rules, key=lambda rule: (rule.group_id, rule.order))
        for peer in _peers(db, rule.cidr, rule.prefix_list)
    )


def _peers(db: Db, cidr: str, listed: str) -> Iterator[str]:
    if cidr:
        yield cidr
    found = db[PrefixList].get(listed) if listed else None
    for entry in found.entries if found is not None else ():
        if ":" not in entry.cidr:
            yield entry.cidr


def consumers(db: Db, vpc_id: str) -> dict[tuple[str, str, str], int]:
    """(account, region, VPC) of the endpoints that lead into a VPC of `db`'s account, with what they should know of it:
    another number when that is otherwise."""
    services = [one for one in db[EndpointService].all() if any(b.vpc_id == vpc_id for b in one.balancers)]
    found: dict[tuple[str, str, str], int] = {}
    for service in services:
        told = hash(
            tuple((eni.id, eni.powered, eni.instance_id, admitted(db, eni)) for eni in nodes(db, service))
        )  # fmt: skip
        for endpoint in endpoints_of(db, service):
            key = (endpoint.account, endpoint.region, endpoint.vpc_id)
            found[key] = hash((found.get(key), told))
    return found
