"""What nobody can tell apart: things without tags, things in many regions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from cloudjar.kit.advice import Finding
from cloudjar.services.trustedadvisor.checking import check
from cloudjar.services.trustedadvisor.looking import Look, NotAvailable, tags_of

WANTED_TAGS = ("Name", "Environment", "Project")


class Thing(NamedTuple):
    """What is tagged to know what it is for. `command` tags it, the tags left out."""

    region: str
    key: str
    tags: dict[str, str]
    command: str


def _things(look: Look) -> Iterator[Thing]:
    """Everything in the regions, but for buckets."""
    yield from _of_ec2(look)
    yield from _databases(look)
    yield from _balancers(look)


def _of_ec2(look: Look) -> Iterator[Thing]:
    for region, vm in look.instances:
        yield _ec2(region, vm["InstanceId"], vm)
    for operation, member, key in (
        ("DescribeVolumes", "Volumes", "VolumeId"),
        ("DescribeAddresses", "Addresses", "AllocationId"),
        ("DescribeNatGateways", "NatGateways", "NatGatewayId"),
    ):
        for region, item in look.everywhere("ec2", operation, member):
            if item.get("State") not in ("deleted", "deleting"):
                yield _ec2(region, item[key], item)
    for region, vpc in look.everywhere("ec2", "DescribeVpcs", "Vpcs"):
        if not vpc.get("IsDefault"):
            yield _ec2(region, vpc["VpcId"], vpc)


def _ec2(region: str, key: str, item: dict[str, Any]) -> Thing:
    return Thing(region, key, tags_of(item), f"aws ec2 create-tags --region {region} --resources {key} --tags")


def _databases(look: Look) -> Iterator[Thing]:
    """None where there are none: a jar without RDS has no untagged databases."""
    try:
        found = list(look.everywhere("rds", "DescribeDBInstances", "DBInstances"))
    except NotAvailable:
        return
    for region, db in found:
        command = f"aws rds add-tags-to-resource --region {region} --resource-name {db['DBInstanceArn']} --tags"
        tags = {tag["Key"]: tag["Value"] for tag in db.get("TagList") or ()}
        yield Thing(region, db["DBInstanceIdentifier"], tags, command)


def _balancers(look: Look) -> Iterator[Thing]:
    """From the records: AWS's policy for the role does not let it read their tags."""
    for region in look.regions:
        for record in look.records("elbv2", "loadbalancer/app/", region, prefix="elasticloadbalancing"):
            one: Any = record
            command = f"aws elbv2 add-tags --region {region} --resource-arns {one.arn} --tags"
            yield Thing(region, one.name, one.tags, command)


def _buckets(look: Look) -> Iterator[Thing]:
    """From the records, too."""
    for record in look.records("s3", "bucket"):
        one: Any = record
        command = f"aws s3api put-bucket-tagging --region {one.location} --bucket {one.name} --tagging"
        yield Thing(one.location, one.name, one.tags, command)


@check(
    "cloudjar-untagged",
    "Resources without Tags",
    "operational_excellence",
    "Tells instances, volumes, addresses, NAT gateways, VPCs, databases, load balancers and buckets that lack one of "
    "the tags Name, Environment and Project: with fifty of them nobody knows what they are for and which may go.",
    ("Region", "Resource", "Missing Tags"),
    ("ec2", "rds", "s3", "elasticloadbalancing"),
)
def untagged(look: Look) -> Iterator[Finding]:
    """Yellow: one of the three is missing."""
    for thing in (*_things(look), *_buckets(look)):
        lacking = [name for name in WANTED_TAGS if not thing.tags.get(name)]
        yield Finding(
            status="warning" if lacking else "ok",
            region=thing.region,
            resource=thing.key,
            values=(thing.region, thing.key, ", ".join(lacking)),
            evidence=f"no {', '.join(lacking)}" if lacking else "",
            hint=f"{thing.command} {_pairs(thing, lacking)}" if lacking else "",
        )


def _pairs(thing: Thing, lacking: list[str]) -> str:
    if "put-bucket-tagging" not in thing.command:
        return " ".join(f"Key={name},Value=..." for name in lacking)
    kept = [f"{{Key={name},Value={value}}}" for name, value in sorted(thing.tags.items())]
    return f"'TagSet=[{','.join((*kept, *(f'{{Key={name},Value=...}}' for name in lacking)))}]'"


@check(
    "cloudjar-many-regions",
    "Resources Spread over Regions",
    "operational_excellence",
    "Tells what lies outside of the region in which most of the account lies: it is easily overlooked there.",
    ("Region", "Resources", "Home Region"),
    ("ec2", "rds", "elasticloadbalancing"),
)
def spread(look: Look) -> Iterator[Finding]:
    """Yellow: another region than the one with the most."""
    found: dict[str, list[str]] = defaultdict(list)
    for thing in _things(look):
        found[thing.region].append(thing.key)
    if not found:
        return
    home = max(sorted(found), key=lambda region: len(found[region]))
    for region, keys in sorted(found.items()):
        away = region != home
        yield Finding(
            status="warning" if away else "ok",
            region=region,
            resource=region,
            values=(region, str(len(keys)), home),
            evidence=f"{', '.join(sorted(keys)[:5])} in {region}, most of the account in {home}" if away else "",
            monthly=look.monthly(region, *keys) if away else 0,
            hint=f"move them to {home} or remove them" if away else "",
        )
