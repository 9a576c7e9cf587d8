"""The steps in which the plan says what becomes of a packet, as AWS's path components and explanations.

https://docs.aws.amazon.com/vpc/latest/reachability/explanation-codes.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cloudjar.base import arn as arns
from cloudjar.planes.network import port
from cloudjar.planes.network.match import NUMBERS, Packet
from cloudjar.planes.network.reach import World
from cloudjar.planes.network.routing import networks, route_for, rows
from cloudjar.planes.network.site import Address, any_address
from cloudjar.planes.network.steps import Step
from cloudjar.planes.network.verdicts import owner, rule_allows, subnet_of
from cloudjar.services.ec2.insights import transits

View = dict[str, Any]
_DEFAULT_RULE = 32767

_KINDS = {
    "acl": "network-acl", "eni": "network-interface", "i": "instance", "igw": "internet-gateway", "nat": "natgateway",
    "pcx": "vpc-peering-connection", "rtb": "route-table", "sg": "security-group", "subnet": "subnet", "vpc": "vpc",
    "vpce": "vpc-endpoint", "eigw": "egress-only-internet-gateway", "tgw": "transit-gateway",
    "tgw-attach": "transit-gateway-attachment", "tgw-rtb": "transit-gateway-route-table",
}  # fmt: skip


class Reader:
    """Reads the steps of one answer. `account` and `region` are where the path is."""

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
    def components(self, steps: Iterable[Step]) -> tuple[list[View], list[View]]:
        """(components there, components back) of the steps of a packet that went on."""
        there: list[View] = []
        back: list[View] = []
        for step in steps:
            shown = self._component(step)
            if shown is None:
                continue
            if step.back:
                back.append(shown)
            else:
                there += self._ordered(there, shown, step)
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

    def _ordered(self, there: list[View], shown: View, step: Step) -> list[View]:
        """A packet that leaves meets the groups of its interface, its subnet's ACL, the gateway, in this order."""
        if step.direction != "egress" or step.kind == "gateway":
            return [shown]
        at = len(there)
        while at and (_is_way_out(there[at - 1]) or ("AclRule" in there[at - 1] and "AclRule" not in shown)):
            at -= 1
        rest = there[at:]
        del there[at:]
        return [shown, *rest]

    def _component(self, step: Step) -> View | None:
        match step.kind:
            case "acl":
                return self._acl(step)
            case "group":
                return self._group(step) if step.what else None
            case "peering":
                return {"Component": self.thing(step.what), "DestinationVpc": self.thing(step.target)}
            case "transit":
                return transits.component(step, self.thing)
            case "nat":
                header = {"SourceAddresses": [f"{step.target}/32"], "Protocol": self._number}
                return {
                    "Component": self.thing(self._nat_of(step.what)),
                    "AttachedTo": self.thing(step.what),
                    "OutboundHeader": header,
                }
            case "gateway":
                return self._gateway(step)
        return None

    def _gateway(self, step: Step) -> View:
        vpc = self._with_vpc(lambda v: v.internet_gateway == step.what)
        shown: View = {"Component": self.thing(step.what)}
        if step.target:
            members = "SourceAddresses" if step.direction == "egress" else "DestinationAddresses"
            shown["OutboundHeader"] = {members: [f"{step.target}/32"], "Protocol": self._number}
        return shown | ({"Vpc": self.thing(vpc.id)} if vpc else {})

    @property
    def _number(self) -> str:
        return str(NUMBERS[self._protocol])

    def _nat_of(self, eni: str) -> str:
        for vpc in self._world.vpcs:
            for gateway in vpc.nat_gateways:
                if gateway.interface == eni:
                    return gateway.id
        return eni

    def _acl(self, step: Step) -> View:
        vpc = self._with_vpc(lambda v: any(acl.id == step.what for acl in v.acls))
        shown: View = {
            "Component": self.thing(step.what),
            "AclRule": self._acl_rule(vpc, step),
            "Subnet": self.thing(step.at),
        }
        return shown | ({"Vpc": self.thing(vpc.id)} if vpc else {})

    def _acl_rule(self, vpc: port.Vpc | None, step: Step) -> View:
        egress = step.direction == "egress"
        if vpc is None or not step.number:
            return {"Cidr": "0.0.0.0/0", "Egress": egress, "Protocol": "all",
                    "RuleAction": "deny", "RuleNumber": _DEFAULT_RULE}  # fmt: skip
        acl = next(acl for acl in vpc.acls if acl.id == step.what)
        entry = next(e for e in acl.entries if e.number == step.number and e.direction == step.direction)
        return {
            "Cidr": entry.cidr,
            "Egress": egress,
            "PortRange": _range(entry.from_port, entry.to_port),
            "Protocol": "all" if entry.protocol == "-1" else entry.protocol,
            "RuleAction": "allow" if entry.allow else "deny",
            "RuleNumber": entry.number,
        }

    def _group(self, step: Step) -> View:
        shown: View = {"Component": self.thing(step.what), "AttachedTo": self.thing(step.at)}
        where = self._of_eni(step.at)
        if where is not None:
            shown["Vpc"] = self.thing(where[0].id)
            rule = self._rule(where[0], step)
            if rule is not None:
                shown["SecurityGroupRule"] = _group_rule(rule)
        return shown

    def _rule(self, vpc: port.Vpc, step: Step) -> port.Rule | None:
        source, target = any_address(step.source), any_address(step.target)
        packet = Packet(source, target, NUMBERS[self._protocol], self._port, 0)
        group = next(group for group in vpc.groups if group.id == step.what)
        rules = (rule for rule in group.rules if rule.direction == step.direction)
        return next((rule for rule in rules if rule_allows(vpc, rule, packet)), None)

    # -- why it ended
    def explanation(self, step: Step) -> View:
        """What stopped the packet, with AWS's code."""
        match step.kind:
            case "acl":
                return self._stopped_by_acl(step)
            case "group":
                return self._stopped_by_groups(step)
            case "route":
                return self._no_route(step)
            case "public-address":
                return self._no_public_address(step)
            case "transit":
                return transits.explanation(step, self._world, self.thing)
            case "barred":
                return self._barred(step)
            case "check":
                return {
                    "ExplanationCode": "ENI_SOURCE_DEST_CHECK_RESTRICTION",
                    "NetworkInterface": self.thing(step.what),
                }
            case "peering":
                return {
                    "ExplanationCode": "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR" if step.target else "BAD_STATE",
                    "VpcPeeringConnection": self.thing(step.what),
                }
        return {"ExplanationCode": _CODES.get(step.kind, "NO_PATH")}

    def _stopped_by_acl(self, step: Step) -> View:
        shown = self._acl(step)
        return {
            "ExplanationCode": "SUBNET_ACL_RESTRICTION",
            "Acl": shown["Component"],
            "AclRule": shown["AclRule"],
            "Direction": step.direction,
            "Subnet": shown["Subnet"],
            "Vpc": shown.get("Vpc"),
        }

    def _stopped_by_groups(self, step: Step) -> View:
        where = self._of_eni(step.at)
        shown: View = {
            "ExplanationCode": "ENI_SG_RULES_MISMATCH",
            "Direction": step.direction,
            "NetworkInterface": self.thing(step.at),
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

    def _no_public_address(self, step: Step) -> View:
        if step.direction == "ingress":
            return {"ExplanationCode": "IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS", "Address": step.target}
        return {
            "ExplanationCode": "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS",
            "Address": step.source,
            "InternetGateway": self.thing(step.what),
        }

    def _barred(self, step: Step) -> View:
        egress_only = step.what.startswith("eigw-")
        return {
            "ExplanationCode": "VPC_BLOCK_PUBLIC_ACCESS_ENABLED",
            "Component" if egress_only else "InternetGateway": self.thing(step.what),
            "Direction": step.direction,
            "NetworkInterface": self.thing(step.source),
            "Subnet": self.thing(step.at),
            "Vpc": self.thing(step.target),
        }

    def _no_route(self, step: Step) -> View:
        key, where = step.what, any_address(step.target)
        vpc = self._with_vpc(lambda v: any(t.id == key for t in v.route_tables))
        shown: View = {
            "ExplanationCode": "NO_ROUTE_TO_DESTINATION", "Address": step.target, "RouteTable": self.thing(key)
        }  # fmt: skip
        if vpc is None:
            return shown
        shown["Vpc"] = self.thing(vpc.id)
        table = next(t for t in vpc.route_tables if t.id == key)
        found = [n for n, r in rows(vpc, table).items() if n.version == where.version and where in n]
        if found:
            best = max(found, key=lambda n: n.prefixlen)
            shown |= {
                "ExplanationCode": "BAD_STATE_ROUTE",
                "RouteTableRoute": {"DestinationCidr": str(best), "State": "blackhole"},
            }
        return shown


def _is_way_out(one: View) -> bool:
    """Whether a component is an internet gateway that a packet leaves by."""
    return one["Component"]["Id"].startswith("igw-") and "SourceAddresses" in one.get("OutboundHeader", {})


_CODES = {"sender": "UNASSOCIATED_COMPONENT", "nat": "NGW_REQUIRES_SOURCE_IN_VPC"}


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
