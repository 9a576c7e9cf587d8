"""What the world can reach: security groups by port, buckets, databases; and what it cannot reach that it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.advice import Finding, Status
from cloudjar.services.trustedadvisor.checking import COLOURS, check, mend
from cloudjar.services.trustedadvisor.looking import HOME, Look, name_of

WORLD = "0.0.0.0/0"
HARMLESS = frozenset((25, 80, 443, 465))
"""Ports that are meant for everybody."""
DANGEROUS = frozenset((20, 21, 1433, 1434, 3306, 3389, 4333, 5432, 5500))
"""Ports of databases, file transfer and remote desktops."""
_EVERY = (0, 65535)
Rule = dict[str, Any]


def grade(low: int, high: int) -> Status:
    """How bad it is that the world reaches a range of ports, as AWS grades it."""
    if any(low <= port <= high for port in DANGEROUS):
        return "error"
    return "ok" if all(port in HARMLESS for port in range(low, high + 1)) else "warning"


def _open_rules(look: Look) -> Iterator[tuple[str, dict[str, Any], Rule, int, int]]:
    """(region, group, rule, from, to) of every TCP, UDP or all-protocol rule that lets in 0.0.0.0/0."""
    for region, group in look.everywhere("ec2", "DescribeSecurityGroups", "SecurityGroups"):
        if group["GroupName"] == "default":  # AWS looks at groups that were made by somebody
            continue
        for rule in group.get("IpPermissions") or ():
            if rule["IpProtocol"] not in ("tcp", "udp", "6", "17", "-1"):
                continue
            if any(r.get("CidrIp") == WORLD for r in rule.get("IpRanges") or ()):
                low, high = rule.get("FromPort", -1), rule.get("ToPort", -1)
                yield region, group, rule, *(_EVERY if low < 0 else (low, high))


def _closing(region: str, group: dict[str, Any], rule: Rule) -> Any:
    shut: Rule = {"IpProtocol": rule["IpProtocol"], "IpRanges": [{"CidrIp": WORLD}]}
    shut |= {name: rule[name] for name in ("FromPort", "ToPort") if name in rule}
    return mend(region, "ec2", "RevokeSecurityGroupIngress", GroupId=group["GroupId"], IpPermissions=[shut])


def _ports(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


@check(
    "HCP4007jGY",
    "Security Groups - Specific Ports Unrestricted",
    "security",
    "Tells rules that let the whole world in at ports that are not meant for it. Databases and desktops are red.",
    ("Region", "Security Group Name", "Security Group ID", "Protocol", "Status", "Ports"),
    ("ec2",),
)
def specific_ports(look: Look) -> Iterator[Finding]:
    """Red, yellow or green by port."""
    for region, group, rule, low, high in _open_rules(look):
        status = grade(low, high)
        protocol = "all" if rule["IpProtocol"] == "-1" else rule["IpProtocol"]
        ports = _ports(low, high)
        yield Finding(
            status=status,
            region=region,
            resource=f"{group['GroupId']} {protocol} {ports}",
            values=(region, group["GroupName"], group["GroupId"], protocol, COLOURS[status], ports),
            evidence=f"{group['GroupName']} lets {WORLD} in at {protocol} {ports}",
            fix=(_closing(region, group, rule),) if status != "ok" else (),
        )


@check(
    "1iG5NDGVre",
    "Security Groups - Unrestricted Access",
    "security",
    "Tells rules that let the whole world in at other ports than 25, 80 and 443.",
    ("Region", "Security Group Name", "Security Group ID", "Protocol", "Port", "Status", "IP Range"),
    ("ec2",),
)
def unrestricted(look: Look) -> Iterator[Finding]:
    """Red: a port that is none of the three."""
    for region, group, rule, low, high in _open_rules(look):
        if all(port in (25, 80, 443) for port in range(low, high + 1)):
            continue
        protocol = "all" if rule["IpProtocol"] == "-1" else rule["IpProtocol"]
        ports = _ports(low, high)
        yield Finding(
            status="error",
            region=region,
            resource=f"{group['GroupId']} {protocol} {ports}",
            values=(region, group["GroupName"], group["GroupId"], protocol, ports, "Red", WORLD),
            evidence=f"{group['GroupName']} lets {WORLD} in at {protocol} {ports}",
            fix=(_closing(region, group, rule),),
        )


_GROUPS = ("http://acs.amazonaws.com/groups/global/AllUsers",
           "http://acs.amazonaws.com/groups/global/AuthenticatedUsers")  # fmt: skip
_SHUT = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


@check(
    "Pfx0RwqBli",
    "Amazon S3 Bucket Permissions",
    "security",
    "Tells buckets that everybody, or everybody with an AWS account, may list, write or otherwise use.",
    (
        "Region Name", "Region API Parameter", "Bucket Name", "ACL Allows List", "ACL Allows Upload/Delete", "Status",
        "Policy Allows Access", "Ignored Bucket Name",
    ),
    ("s3",),
)  # fmt: skip
def open_buckets(look: Look) -> Iterator[Finding]:
    """Red: everybody may write by the list. Yellow: everybody may list, or the policy is public."""
    for bucket in look.each("s3", "ListBuckets", "Buckets"):
        name = bucket["Name"]
        region = look.ask("s3", "GetBucketLocation", Bucket=name).get("LocationConstraint") or HOME
        yield _bucket(look, name, region)


def _bucket(look: Look, name: str, region: str) -> Finding:
    shut = _shut(look, name, region)
    listing = writing = False
    if not shut.get("IgnorePublicAcls"):
        for given in look.ask("s3", "GetBucketAcl", region, Bucket=name).get("Grants") or ():
            if (given.get("Grantee") or {}).get("URI") in _GROUPS:
                listing |= given["Permission"] in ("READ", "FULL_CONTROL")
                writing |= given["Permission"] in ("WRITE", "FULL_CONTROL")
    public = not shut.get("RestrictPublicBuckets") and _is_public(look, name, region)
    status: Status = "error" if writing else "warning" if listing or public else "ok"
    said = tuple("Yes" if one else "No" for one in (listing, writing, public))
    whys = (("everybody may list it", listing), ("everybody may write", writing), ("its policy is public", public))
    return Finding(
        status=status,
        region=region,
        resource=name,
        values=(region, region, name, said[0], said[1], COLOURS[status], said[2], ""),
        evidence=", ".join(why for why, holds in whys if holds),
        fix=(mend(region, "s3", "PutPublicAccessBlock", Bucket=name, PublicAccessBlockConfiguration=_SHUT),)
        if status != "ok"
        else (),
    )


def _shut(look: Look, name: str, region: str) -> dict[str, bool]:
    try:
        found = look.ask("s3", "GetPublicAccessBlock", region, Bucket=name)["PublicAccessBlockConfiguration"]
    except AwsError as error:
        if error.code != "NoSuchPublicAccessBlockConfiguration":
            raise
        return {}
    return {key: bool(value) for key, value in found.items()}


def _is_public(look: Look, name: str, region: str) -> bool:
    try:
        return bool(look.ask("s3", "GetBucketPolicyStatus", region, Bucket=name)["PolicyStatus"]["IsPublic"])
    except AwsError as error:
        if error.code != "NoSuchBucketPolicy":
            raise
        return False


@check(
    "cloudjar-no-public-ip",
    "Instances in a Public Subnet without a Public Address",
    "operational_excellence",
    "Tells running instances whose subnet has a way to an internet gateway, but which have no public IPv4 address: "
    "nobody outside reaches them, and they reach nobody.",
    ("Region", "Instance ID", "Instance Name", "Subnet"),
    ("ec2",),
)
def no_public_address(look: Look) -> Iterator[Finding]:
    """Yellow: the way is there, the address is not."""
    for region, vm in look.instances:
        if vm["State"]["Name"] != "running" or not vm.get("SubnetId"):
            continue
        if not _leads_out(look, region, vm["VpcId"], vm["SubnetId"]):
            continue
        alone = not vm.get("PublicIpAddress")
        fix = (
            mend(region, "ec2", "AllocateAddress", Domain="vpc"),
            mend(region, "ec2", "AssociateAddress", InstanceId=vm["InstanceId"], AllocationId="$AllocationId"),
        )
        yield Finding(
            status="warning" if alone else "ok",
            region=region,
            resource=vm["InstanceId"],
            values=(region, vm["InstanceId"], name_of(vm), vm["SubnetId"]),
            evidence=f"{vm['InstanceId']} has {vm.get('PrivateIpAddress', 'no address')} alone" if alone else "",
            fix=fix if alone else (),
        )


def _leads_out(look: Look, region: str, vpc: str, subnet: str) -> bool:
    """Whether a subnet's route table, or its VPC's main one, has a default route to an internet gateway."""
    main: dict[str, Any] = {}
    for table in look.each("ec2", "DescribeRouteTables", "RouteTables", region):
        for link in table.get("Associations") or ():
            if link.get("SubnetId") == subnet:
                return _to_gateway(table)
            if link.get("Main") and table["VpcId"] == vpc:
                main = table
    return _to_gateway(main)


def _to_gateway(table: dict[str, Any]) -> bool:
    return any(
        route.get("DestinationCidrBlock") == WORLD and (route.get("GatewayId") or "").startswith("igw-")
        for route in table.get("Routes") or ()
    )
