"""Who refers to a prefix list, and AWS's own lists: one for each service that has gateway endpoints."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.planes.network.port import NetworkPort
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.lookup import FORMS, is_id
from cloudjar.services.ec2.prefix_lists.records import Entry, PrefixList
from cloudjar.services.ec2.route_tables.records import RouteTable
from cloudjar.services.ec2.security_groups.records import SecurityGroupRule
from cloudjar.services.ec2.transit_gateways.records import TransitRouteTable

GATEWAY_SERVICES = ("dynamodb", "s3")
AWS = "AWS"
"""Owner of the lists that every account sees."""


def aws_list_id(region: str, service: str) -> str:
    """The id of AWS's list for a service; the same in every jar."""
    return f"pl-{zlib.crc32(f'com.amazonaws.{region}.{service}'.encode()):08x}"


def aws_lists(ctx: Ctx) -> list[PrefixList]:
    """AWS's lists of this region. Their one block is the host's own address for the service."""
    network: NetworkPort = ctx.world.ports["network"]
    return [aws_list(ctx.region, service, network.service_addresses[service]) for service in GATEWAY_SERVICES]


def aws_list(region: str, service: str, host: str) -> PrefixList:
    """One of AWS's lists; `host` is where the service answers."""
    return PrefixList(
        account=AWS,
        region=region,
        id=aws_list_id(region, service),
        name=f"com.amazonaws.{region}.{service}",
        family="IPv4",
        max_entries=1,
        versions=((Entry(cidr=f"{host}/32"),),),
    )


def prefix_list(ctx: Ctx, key: str) -> PrefixList:
    """A list by its id: the account's own or AWS's; raises the type's Malformed or NotFound."""
    prefix, code = FORMS["prefix-list"]
    if not is_id(prefix, key):
        raise errors.malformed(code, key, prefix)
    found = next((one for one in aws_lists(ctx) if one.id == key), None)
    return found or ctx.db[PrefixList].need(key)


def own_list(ctx: Ctx, key: str) -> PrefixList:
    """A list that the account may change; AWS's are refused."""
    found = prefix_list(ctx, key)
    if found.account == AWS:
        raise AwsError("OperationNotPermitted", f"The prefix list '{key}' is managed by AWS and cannot be modified.")
    return found


def weight(ctx: Ctx, key: str) -> int:
    """How many rules or routes a reference to a list counts for."""
    return prefix_list(ctx, key).max_entries


def transit_tables(db: Db, key: str) -> list[TransitRouteTable]:
    """The route tables of transit gateways that refer to a list."""
    tables = db[TransitRouteTable].all()
    return [table for table in tables if any(one.prefix_list == key for one in table.references)]


def referring(db: Db, key: str) -> Iterator[tuple[str, str, str]]:
    """(id, owner, VPC) of every security group and route table that refers to a list, each once."""
    seen: set[str] = set()
    for rule in db[SecurityGroupRule].all(prefix_list=key):
        if rule.group_id not in seen:
            seen.add(rule.group_id)
            yield rule.group_id, rule.account, rule.vpc_id
    for table in db[RouteTable].all():
        if any(route.destination == key for route in table.routes):
            yield table.id, table.account, table.vpc_id
