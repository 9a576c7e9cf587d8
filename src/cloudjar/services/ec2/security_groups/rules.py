"""What a rule of a security group may say; pure.

https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from cloudjar.base.errors import AwsError
from cloudjar.services.ec2 import blocks, errors
from cloudjar.services.ec2.security_groups.records import SecurityGroupRule

_NUMBERS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
_NAMES = ("tcp", "udp", "icmp", "icmpv6", "-1")
_TEXT = re.compile(r"[A-Za-z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
_ALLOWED = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
_PORTED = ("tcp", "udp")
_PINGED = ("icmp", "icmpv6")


class Peer(NamedTuple):
    """Who a rule is about: exactly one field is set. `group` is an id."""

    cidr: str = ""
    cidr6: str = ""
    group: str = ""
    prefix_list: str = ""
    owner: str = ""
    vpc: str = ""
    peering: str = ""
    """Of a group of a peered VPC: whose it is, where, and through which peering connection."""

    @property
    def text(self) -> str:
        return self.cidr or self.cidr6 or self.group or self.prefix_list


class Peers(Protocol):
    """Finds what a permission names; raises the answer for what is not there."""

    def group(self, pair: Mapping[str, Any]) -> Peer:
        """The group of a UserIdGroupPair."""
        ...

    def prefix_list(self, key: str) -> Peer:
        """A managed prefix list."""
        ...


class Said(NamedTuple):
    """One permission of a request: what a rule says, without its id."""

    protocol: str
    from_port: int
    to_port: int
    peer: Peer
    description: str | None = None

    @property
    def essence(self) -> tuple[str, int, int, Peer]:
        """What makes two rules of one group and direction the same."""
        return self[:4]


def essence(rule: SecurityGroupRule) -> tuple[str, int, int, Peer]:
    """What makes two rules of one group and direction the same."""
    peer = Peer(
        rule.cidr, rule.cidr6, rule.peer_group, rule.prefix_list, rule.peer_owner, rule.peer_vpc, rule.peering
    )
    return rule.protocol, rule.from_port, rule.to_port, peer


def protocol_of(given: str) -> str:
    """A protocol in AWS's own spelling: a name where it has one, else the number."""
    text = given.lower()
    text = _NUMBERS.get(text, text)
    if text in _NAMES or (text.isdecimal() and len(text) <= 3 and int(text) < 256):
        return text
    raise errors.invalid_value(f"Invalid value '{given}' for IP protocol. Unknown protocol.")


def ports_of(protocol: str, low: int | None, high: int | None) -> tuple[int, int]:
    """Ports, or ICMP type and code, checked; -1 where the protocol has none."""
    if protocol in _PORTED:
        if low is None or high is None:
            raise errors.invalid_value(
                "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."
            )
        for port in (low, high):
            if not 0 <= port <= 65535:
                raise errors.invalid_value(f"TCP/UDP port ({port}) out of range")
        if low > high:
            raise errors.invalid_value(f"Invalid TCP/UDP port range ({low}:{high})")
        return low, high
    if protocol in _PINGED:
        kind, code = -1 if low is None else low, -1 if high is None else high
        if not (-1 <= kind <= 255 and -1 <= code <= 255) or (kind == -1 and code != -1):
            raise errors.invalid_value(f"ICMP type ({kind}) or code ({code}) out of range")
        return kind, code
    return -1, -1


def block_of(text: str) -> str:
    """An IPv4 block of a rule in canonical form."""
    found = blocks.ipv4(text)
    if found is None:
        raise errors.invalid_value(f"CIDR block {text} is malformed")
    return str(found)


def block6_of(text: str) -> str:
    """An IPv6 block of a rule in canonical form."""
    found = blocks.ipv6(text)
    if found is None:
        raise errors.invalid_value(f"CIDR block {text} is malformed")
    return str(found)


def description_of(given: str | None) -> str | None:
    """A rule's description, checked; None when the request has none."""
    if given is not None and not _TEXT.fullmatch(given):
        raise errors.invalid_value(
            "Invalid rule description. Valid descriptions are strings less than 256 characters from the following "
            f"set:  {_ALLOWED}"
        )
    return given


def group_text(given: str, parameter: str) -> str:
    """A group's name or description, checked."""
    if not given or not _TEXT.fullmatch(given):
        raise errors.invalid_parameter(
            given,
            parameter,
            f"It must be 1 to 255 characters from the following set: {_ALLOWED}",
        )
    return given


def said(req: Mapping[str, Any], peers: Peers) -> list[Said]:
    """The permissions of a request, in either form.

    Raises InvalidParameterValue, MissingParameter and InvalidPermission.Malformed.
    """
    if req.get("IpPermissions"):
        return [one for entry in req["IpPermissions"] for one in _entry(entry, peers)]
    return list(_entry(_as_entry(req), peers)) if _is_flat(req) else []


def _is_flat(req: Mapping[str, Any]) -> bool:
    return any(
        req.get(member) is not None
        for member in ("CidrIp", "IpProtocol", "FromPort", "ToPort", "SourceSecurityGroupName")
    )


def _as_entry(req: Mapping[str, Any]) -> dict[str, Any]:
    """The older form of a permission as the newer one."""
    entry = {key: req[key] for key in ("IpProtocol", "FromPort", "ToPort") if req.get(key) is not None}
    if req.get("CidrIp"):
        entry["IpRanges"] = [{"CidrIp": req["CidrIp"]}]
    if req.get("SourceSecurityGroupName"):
        entry.setdefault("IpProtocol", "-1")
        entry["UserIdGroupPairs"] = [
            {"GroupName": req["SourceSecurityGroupName"], "UserId": req.get("SourceSecurityGroupOwnerId")}
        ]
    return entry


def _entry(entry: Mapping[str, Any], peers: Peers) -> Iterator[Said]:
    if not entry.get("IpProtocol"):
        raise errors.missing_one("ipProtocol")
    protocol = protocol_of(entry["IpProtocol"])
    low, high = ports_of(protocol, entry.get("FromPort"), entry.get("ToPort"))
    count = 0
    for peer, description in _peers(entry, peers):
        count += 1
        yield Said(protocol, low, high, peer, description_of(description))
    if not count:
        raise errors.missing("The request must contain a source or destination: a CIDR block or a security group")


def _peers(entry: Mapping[str, Any], peers: Peers) -> Iterator[tuple[Peer, str | None]]:
    for item in entry.get("IpRanges") or ():
        yield Peer(cidr=block_of(item.get("CidrIp") or "")), item.get("Description")
    for item in entry.get("Ipv6Ranges") or ():
        yield Peer(cidr6=block6_of(item.get("CidrIpv6") or "")), item.get("Description")
    for item in entry.get("PrefixListIds") or ():
        yield peers.prefix_list(item.get("PrefixListId") or ""), item.get("Description")
    for item in entry.get("UserIdGroupPairs") or ():
        yield peers.group(item), item.get("Description")


def refuse_twins(permissions: Iterable[Said]) -> None:
    """A request must not say the same thing twice."""
    seen = set()
    for one in permissions:
        if one.essence in seen:
            raise errors.invalid_value("The same permission must not appear multiple times")
        seen.add(one.essence)


def duplicate(one: Said) -> AwsError:
    """The group has this rule already."""
    return AwsError("InvalidPermission.Duplicate", f'the specified rule "{in_words(one)}" already exists')


def in_words(one: Said) -> str:
    """A rule as AWS's messages write it: ``peer: 0.0.0.0/0, TCP, from port: 22, to port: 22, ALLOW``."""
    if one.protocol == "-1":
        what = "ALL"
    elif one.protocol in _PORTED:
        what = f"{one.protocol.upper()}, from port: {one.from_port}, to port: {one.to_port}"
    elif one.protocol in _PINGED:
        kind, code = ("ALL" if n == -1 else str(n) for n in (one.from_port, one.to_port))
        what = f"{one.protocol.upper()}, type: {kind}, code: {code}"
    else:
        what = f"protocol: {one.protocol}"
    return f"peer: {one.peer.text}, {what}, ALLOW"
