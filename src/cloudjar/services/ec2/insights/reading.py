"""The lines in which the plan says what becomes of a packet, read as AWS's path components and explanations.

https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.planes.network import port
from cloudjar.planes.network.match import NUMBERS, Packet
from cloudjar.planes.network.reach import World
from cloudjar.planes.network.routing import networks, route_for, rows
from cloudjar.planes.network.site import Address, any_address
from cloudjar.planes.network.verdicts import owner, rule_allows, subnet_of
from cloudjar.services.ec2.insights import transits

View = dict[str, Any]
_ACL = re.compile(r"(acl-\S+) (?:rule (\d+)|the default rule) (allows|denies) (ingress|egress) (\S+) to (\S+) at (\S+)")
_GROUP = re.compile(r"(sg-\S+) allows (ingress|egress) (\S+) to (\S+) at (\S+)")
_NO_GROUP = re.compile(r"no security group of (\S+) allows (ingress|egress) (\S+) to (\S+)")
_NO_ROUTE = re.compile(r"(\S+) has no route (?:back )?to (\S+)")
_NO_PUBLIC = re.compile(r"(\S+) has no public address, so (\S+) drops it")
_NOT_PUBLIC = re.compile(r"(\S+) is no public address of an attached interface")
_CHECKED = re.compile(r"(eni-\S+) drops what is not addressed to it")
_PEER = re.compile(r"(pcx-\S+) leads to (\S+)")
_NAT = re.compile(r"the NAT gateway at (eni-\S+) translates (\S+) to (\S+)")
_IGW = re.compile(r"(igw-\S+) (?:translates (\S+) to (\S+)|leads to)")
_PCX = re.compile(r"pcx-[0-9a-f]+")
_DEFAULT_RULE = 32767

_KINDS = {
    "acl": "network-acl", "eni": "network-interface", "i": "instance", "igw": "internet-gateway", "nat": "natgateway",
    "pcx": "vpc-peering-connection", "rtb": "route-table", "sg": "security-group", "subnet": "subnet", "vpc": "vpc",
    "vpce": "vpc-endpoint", "eigw": "egress-only-internet-gateway", "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment", "tgw-rtb": "transit-gateway-route-table",
}  # fmt: skip


class Reader:
    """Reads the lines of one answer. `account` and `region` are where the path is."""

    def __init__(self, world: World, account: str, region: str, protocol: str, number: int) -> None:
        self._world = world
        self._account = account
        self._region = region
        self._protocol = protocol
        self._port = number
        self._vpcs = {vpc.id: vpc for vpc in world.vpcs}

    # -- things
    def thing(self, key: str) -> View:
        """AWS's AnalysisComponent."""
        prefix = key.rpartition("-")[0]
        kind = _KINDS.get(prefix, prefix)
        return {"Id": key, "Arn": arns.make("ec2", self._region, self._account, f"{kind}/{key}")}

    def _with_vpc(self, found: Callable[[port.Vpc], bool]) -> port.Vpc | None:
        return next((vpc for vpc in self._world.vpcs if found(vpc)), None)

    def _of_eni(self, key: str) -> tuple[port.Vpc, port.Interface] | None:
        vpc = self._with_vpc(lambda v: any(i.id == key for i in v.interfaces))
        return None if vpc is None else (vpc, next(i for i in vpc.interfaces if i.id == key))

    # -- what was passed
    def components(self, lines: list[str]) -> tuple[list[View], list[View]]:
        """(components there, components back) of the lines of a packet that went on."""
        there: list[View] = []
        back: list[View] = []
        went: set[tuple[str, str]] = set()
        for line in lines:
            shown = self._component(line)
            if shown is None:
                continue
            found = _ACL.match(line) or _GROUP.match(line)
            pair = (found.group(found.re.groups - 2), found.group(found.re.groups - 1)) if found else ("", "")
            if found and pair[::-1] in went:
                back.append(shown)
                continue
            went.add(pair)
            there += self._ordered(there, shown, line)
        return there, back

    def routed(self, there: list[View], eni: str, target: str) -> list[View]:
        """The components with the route that the sender's subnet has, behind what stands at its edge."""
        where = self._of_eni(eni)
        if where is None:
            return there
        vpc, sender = where
        subnet = subnet_of(vpc, sender.subnet)
        peer = owner(vpc, any_address(target))
        route = route_for(vpc, subnet, any_address(target))
        if route is None or (peer is not None and peer.subnet == subnet.id):
            return there  # within a subnet nothing is routed
        shown: View = {
            "Component": self.thing(subnet.route_table),
            "RouteTableRoute": _route(vpc, route, any_address(target)),
            "Vpc": self.thing(vpc.id),
        }
        edge = [i for i, one in enumerate(there) if one.get("AclRule", {}).get("Egress")]
        at = edge[0] + 1 if edge else 0
        return [*there[:at], shown, *there[at:]]

    def _ordered(self, there: list[View], shown: View, line: str) -> list[View]:
        """A packet that leaves meets the groups of its interface, its subnet's ACL, the gateway, in this order."""
        if " egress " not in line:
            return [shown]
        at = len(there)
        while at and (_is_way_out(there[at - 1]) or ("AclRule" in there[at - 1] and "AclRule" not in shown)):
            at -= 1
        rest = there[at:]
        del there[at:]
        return [shown, *rest]

    def _component(self, line: str) -> View | None:
        if found := _ACL.match(line):
            return self._acl(found)
        if found := _GROUP.match(line):
            return self._group(found)
        if found := _PEER.match(line):
            return {"Component": self.thing(found.group(1)), "DestinationVpc": self.thing(found.group(2))}
        if found := transits.LEADS.match(line):
            return transits.component(found, self.thing)
        if found := _NAT.match(line):
            header = {"SourceAddresses": [f"{found.group(3)}/32"], "Protocol": self._number}
            return {
                "Component": self.thing(self._nat_of(found.group(1))),
                "AttachedTo": self.thing(found.group(1)),
                "OutboundHeader": header,
            }
        if found := _IGW.match(line):
            vpc = self._with_vpc(lambda v: v.internet_gateway == found.group(1))
            shown: View = {"Component": self.thing(found.group(1))}
            if found.group(3):
                way, members = _HEADERS[" of eni-" in line]
                shown[way] = {members: [f"{found.group(3)}/32"], "Protocol": self._number}
            return shown | ({"Vpc": self.thing(vpc.id)} if vpc else {})
        return None

    @property
    def _number(self) -> str:
        return str(NUMBERS[self._protocol])

    def _nat_of(self, eni: str) -> str:
        for vpc in self._world.vpcs:
            for gateway in vpc.nat_gateways:
                if gateway.interface == eni:
                    return gateway.id
        return eni

    def _acl(self, found: re.Match[str]) -> View:
        key, number, _, direction, _, _, subnet = found.groups()
        vpc = self._with_vpc(lambda v: any(acl.id == key for acl in v.acls))
        shown: View = {
            "Component": self.thing(key),
            "AclRule": self._acl_rule(vpc, key, number, direction),
            "Subnet": self.thing(subnet),
        }
        return shown | ({"Vpc": self.thing(vpc.id)} if vpc else {})

    def _acl_rule(self, vpc: port.Vpc | None, key: str, number: str | None, direction: str) -> View:
        if vpc is None or number is None:
            return {"Cidr": "0.0.0.0/0", "Egress": direction == "egress", "Protocol": "all",
                    "RuleAction": "deny", "RuleNumber": _DEFAULT_RULE}  # fmt: skip
        acl = next(acl for acl in vpc.acls if acl.id == key)
        entry = next(e for e in acl.entries if e.number == int(number) and e.direction == direction)
        return {
            "Cidr": entry.cidr,
            "Egress": direction == "egress",
            "PortRange": _range(entry.from_port, entry.to_port),
            "Protocol": "all" if entry.protocol == "-1" else entry.protocol,
            "RuleAction": "allow" if entry.allow else "deny",
            "RuleNumber": entry.number,
        }

    def _group(self, found: re.Match[str]) -> View:
        key, direction, source, target, eni = found.groups()
        shown: View = {"Component": self.thing(key), "AttachedTo": self.thing(eni)}
        where = self._of_eni(eni)
        if where is not None:
            shown["Vpc"] = self.thing(where[0].id)
            rule = self._rule(where[0], key, direction, source, target)
            if rule is not None:
                shown["SecurityGroupRule"] = _group_rule(rule)
        return shown

    def _rule(self, vpc: port.Vpc, key: str, direction: str, source: str, target: str) -> port.Rule | None:
        packet = Packet(any_address(source), any_address(target), NUMBERS[self._protocol], self._port, 0)
        group = next(group for group in vpc.groups if group.id == key)
        rules = (rule for rule in group.rules if rule.direction == direction)
        return next((rule for rule in rules if rule_allows(vpc, rule, packet)), None)

    # -- why it ended
    def explanation(self, line: str) -> View:
        """What stopped the packet, with AWS's code."""
        for pattern, explain in self._explanations():
            found = pattern.match(line)
            if found:
                return explain(found)
        pcx = _PCX.match(line)
        if pcx:
            return {
                "ExplanationCode": "BAD_STATE" if "other side" in line else "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR",
                "VpcPeeringConnection": self.thing(pcx.group()),
            }
        return {"ExplanationCode": _CODES.get(_ending(line), "NO_PATH")}

    def _explanations(self) -> Iterator[tuple[re.Pattern[str], Callable[[re.Match[str]], View]]]:
        yield _ACL, self._stopped_by_acl
        yield _NO_GROUP, self._stopped_by_groups
        yield _NO_PUBLIC, self._no_public_address
        yield _NOT_PUBLIC, lambda m: {
            "ExplanationCode": "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS", "Address": m.group(1)
        }  # fmt: skip
        yield _CHECKED, lambda m: {
            "ExplanationCode": "ENI_SOURCE_DEST_CHECK_RESTRICTION", "NetworkInterface": self.thing(m.group(1))
        }  # fmt: skip
        yield transits.NO_ROUTE, lambda m: transits.explanation(m, self._world, self.thing)
        yield _NO_ROUTE, self._no_route

    def _stopped_by_acl(self, found: re.Match[str]) -> View:
        shown = self._acl(found)
        return {
            "ExplanationCode": "SUBNET_ACL_RESTRICTION",
            "Acl": shown["Component"],
            "AclRule": shown["AclRule"],
            "Direction": found.group(4),
            "Subnet": shown["Subnet"],
            "Vpc": shown.get("Vpc"),
        }

    def _stopped_by_groups(self, found: re.Match[str]) -> View:
        where = self._of_eni(found.group(1))
        shown: View = {
            "ExplanationCode": "ENI_SG_RULES_MISMATCH",
            "Direction": found.group(2),
            "NetworkInterface": self.thing(found.group(1)),
            "Port": self._port,
            "Protocols": [self._number],
        }
        if where is not None:
            vpc, eni = where
            shown |= {
                "SecurityGroups": [self.thing(group) for group in eni.groups],
                "Subnet": self.thing(eni.subnet),
                "Vpc": self.thing(vpc.id),
            }
        return shown

    def _no_public_address(self, found: re.Match[str]) -> View:
        return {
            "ExplanationCode": "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
            "Address": found.group(1),
            "InternetGateway": self.thing(found.group(2)),
        }

    def _no_route(self, found: re.Match[str]) -> View:
        key, target = found.groups()
        vpc = self._with_vpc(lambda v: any(t.id == key for t in v.route_tables))
        shown: View = {"ExplanationCode": "NO_ROUTE_TO_DESTINATION", "Address": target, "RouteTable": self.thing(key)}
        if vpc is None:
            return shown
        shown["Vpc"] = self.thing(vpc.id)
        table = next(t for t in vpc.route_tables if t.id == key)
        where = any_address(target)
        dead = [n for n, r in rows(vpc, table).items() if n.version == where.version and where in n]
        if dead:
            best = max(dead, key=lambda n: n.prefixlen)
            shown |= {
                "ExplanationCode": "BAD_STATE_ROUTE",
                "RouteTableRoute": {"DestinationCidr": str(best), "State": "blackhole"},
            }
        return shown


# What an internet gateway does to a packet's header, by whether it comes in.
_HEADERS = {False: ("OutboundHeader", "SourceAddresses"), True: ("OutboundHeader", "DestinationAddresses")}


def _is_way_out(one: View) -> bool:
    """Whether a component is an internet gateway that a packet leaves by."""
    return one["Component"]["Id"].startswith("igw-") and "SourceAddresses" in one.get("OutboundHeader", {})


_CODES = {
    "is not attached to anything": "UNASSOCIATED_COMPONENT",
    "it answers nobody": "NGW_REQUIRES_SOURCE_IN_VPC",
    "": "NO_PATH",
}


_TARGETS = {
    "internet-gateway": "GatewayId", "endpoint": "GatewayId", "interface": "NetworkInterfaceId",
    "nat-gateway": "NatGatewayId", "peering": "VpcPeeringConnectionId", "transit-gateway": "TransitGatewayId",
    "egress-only-gateway": "EgressOnlyInternetGatewayId",
}  # fmt: skip


def _route(vpc: port.Vpc, route: port.Route, target: Address) -> View:
    """AWS's AnalysisRouteTableRoute."""
    if route.kind == "local":
        inside = next(str(n) for n in networks(vpc) if n.version == target.version and target in n)
        return {"DestinationCidr": inside, "GatewayId": "local", "Origin": "createroutetable", "State": "active"}
    listed = route.destination.startswith("pl-")
    return {
        "DestinationPrefixListId" if listed else "DestinationCidr": route.destination,
        _TARGETS[route.kind]: route.target,
        "Origin": "createroute",
        "State": "active",
    }


def _ending(line: str) -> str:
    return next((ending for ending in _CODES if ending and line.endswith(ending)), "")


def _range(low: int, high: int) -> View | None:
    return {"From": low, "To": high} if low >= 0 else None


def _group_rule(rule: port.Rule) -> View:
    shown: View = {
        "Direction": rule.direction,
        "PortRange": _range(rule.from_port, rule.to_port),
        "Protocol": "all" if rule.protocol == "-1" else rule.protocol,
    }
    if rule.peer.startswith("sg-"):
        shown["SecurityGroupId"] = rule.peer
    elif rule.peer.startswith("pl-"):
        shown["PrefixListId"] = rule.peer
    else:
        shown["Cidr"] = rule.peer
    return shown
