"""Names of endpoints, and what they mean.

Inside the instance's VPC a name means its private address; elsewhere the public one, where it is publicly accessible.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
"""

from __future__ import annotations

from cloudjar.base.caller import service as service_caller
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.names import resolves
from cloudjar.services.rds import places, rules
from cloudjar.services.rds.clusters import naming as clusters
from cloudjar.services.rds.proxies import naming as proxies
from cloudjar.services.rds.records import DbInstance

HOSTED_ZONES = {
    "us-east-1": "Z2R2ITUGPM61AM", "us-east-2": "Z2XHWR1WZ565X2", "us-west-1": "Z10WI91S59XXQN",
    "us-west-2": "Z1PVIF0B656C1W", "eu-west-1": "Z29XKXDKYMONMX", "eu-west-2": "Z1TTGA775OQIYB",
    "eu-west-3": "ZMESEXB7ZGGQ3", "eu-central-1": "Z1RLNUO7B9Q6NB",
}  # fmt: skip


def domain(account: str, region: str) -> str:
    """``.c0123456789a.eu-west-3.rds.amazonaws.com``: what names of an account's instances end with."""
    return f".{rules.endpoint_part(account, region)}.{region}.rds.amazonaws.com"


def endpoint(db: DbInstance) -> str:
    """An instance's name."""
    return db.id + domain(db.account, db.region)


def link(db: DbInstance) -> str:
    """What its followers call it: a name that a change of its identifier leaves as it is."""
    return db.resource_id.lower() + domain(db.account, db.region)


@resolves(".rds.amazonaws.com")
def addresses(world: World, vpc_id: str, name: str) -> tuple[str, ...]:
    """The one address of an instance that has an endpoint, or of whom a cluster's name means."""
    with world.state.database.lock:
        ctx = Ctx(world, "", "", service_caller("rds.amazonaws.com", ""))
        for db in ctx.db.everywhere(DbInstance):
            if db.answering and endpoint(db) == name:
                there = ctx.at(db.account, db.region)
                found = places.address(there, db, inside=vpc_id == db.vpc_id)
                return (found,) if found else ()
        return proxies.addresses(ctx, vpc_id, name) or clusters.addresses(ctx, vpc_id, name)
