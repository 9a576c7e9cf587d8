"""Reverse DNS records of Elastic IPs: a name that itself leads to the address, as the jar's public DNS says, or as
somebody gives his word for (``cloudjar certificate validate ARN``).

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Elastic_Addressing_Reverse_DNS.html
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import service as service_caller
from cloudjar.kit.certificates import takes_word
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.names import addresses, resolves
from cloudjar.kit.operation import op
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.addresses.records import ElasticIp
from cloudjar.services.ec2.lookup import need, need_all

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"({_LABEL}\.)+[a-z]([a-z0-9-]*[a-z0-9])?")


@op("ModifyAddressAttribute")
def modify_address_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Ask for a reverse name; whether it leads to the address is looked at afterwards."""
    elastic = need(ctx, ElasticIp, req["AllocationId"])
    name = (req.get("DomainName") or "").lower().rstrip(".")
    if not name:
        raise errors.missing_one("domainName")
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise errors.invalid_parameter(name, "domainName", "It is not a domain name.")
    changed = ctx.db[ElasticIp].put(replace(elastic, pointer_asked=f"{name}.", pointer_refused=""))
    return {"Address": show(changed)}


@op("ResetAddressAttribute")
def reset_address_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No reverse name of one's own any more."""
    elastic = need(ctx, ElasticIp, req["AllocationId"])
    after = replace(elastic, pointer="", pointer_asked="", pointer_refused="")
    return {"Address": show(ctx.db[ElasticIp].put(after))}


@op("DescribeAddressesAttribute")
def describe_addresses_attribute(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Reverse names of Elastic IPs, and what became of those that were asked for."""
    found = need_all(ctx, ElasticIp, req["AllocationIds"]) if req.get("AllocationIds") else ctx.db[ElasticIp].all()
    return {"Addresses": [show(elastic) for elastic in found]}


def show(elastic: ElasticIp) -> dict[str, Any]:
    """AWS's AddressAttribute."""
    update = None
    if elastic.pointer_asked:
        status = "FAILED" if elastic.pointer_refused else "PENDING"
        update = {"Value": elastic.pointer_asked, "Status": status, "Reason": elastic.pointer_refused or None}
    return {
        "AllocationId": elastic.id,
        "PublicIp": elastic.ip,
        "PtrRecord": elastic.pointer or None,
        "PtrRecordUpdate": update,
    }


@reconciler(ElasticIp)
def look(step: Step, elastic: ElasticIp | None) -> None:
    """Ask the jar's DNS where the name leads."""
    if elastic is None or not elastic.pointer_asked or elastic.pointer_refused:
        return
    asked = elastic.pointer_asked
    leads = addresses(step.world, "", asked.rstrip(".")) or ()

    def judged(now: ElasticIp) -> ElasticIp | None:
        if now.pointer_asked != asked:
            return None
        if now.ip in leads:
            return replace(now, pointer=asked, pointer_asked="")
        return replace(now, pointer_refused=f"No A record of {asked} maps to {now.ip}.")

    step.change(ElasticIp, judged)


@takes_word("elastic-ip/")
def prove(world: World, arn: str, name: str = "") -> list[str]:
    """Take somebody's word that a name outside of this jar leads to an address; ValueError when nothing is asked."""
    parsed = arns.parse(arn)
    with world.state.database.transaction():
        ctx = Ctx(world, parsed.account if parsed else "", parsed.region if parsed else "",
                  service_caller("cloudjar.internal", ""))  # fmt: skip
        elastic = ctx.db[ElasticIp].get(arn.rpartition("/")[2])
        if elastic is None or not elastic.pointer_asked:
            raise ValueError(f"there is no address {arn} for which a reverse name was asked")
        if name and name.rstrip(".") != elastic.pointer_asked.rstrip("."):
            raise ValueError(f"{arn} was not asked to have the name {name}")
        ctx.db[ElasticIp].put(replace(elastic, pointer=elastic.pointer_asked, pointer_asked="", pointer_refused=""))
        return []


@resolves(".in-addr.arpa")
def points(world: World, vpc_id: str, name: str) -> tuple[str, ...]:
    """The reverse name of a public address that has one of its owner's choosing."""
    address = ".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))
    with world.state.database.lock:
        found = Ctx(world, "", "", service_caller("cloudjar.internal", "")).db.everywhere(ElasticIp, ip=address)
    return tuple(elastic.pointer for elastic in found if elastic.pointer)
