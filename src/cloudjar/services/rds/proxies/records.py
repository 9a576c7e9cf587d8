"""What is stored of proxies: the proxy with its one target group, and its endpoints with their machines.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxy.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.rds.records import Member

PROXY, ENDPOINT = "rds/proxy", "rds/proxy-endpoint"
PORT = 5432
GROUP = "default"
"""The name of a proxy's only target group, and of its first endpoint."""


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """A secret with a user's name and password, and how clients come in as that user."""

    secret: str
    description: str = ""
    by_token: bool = False
    method: str = "POSTGRES_SCRAM_SHA_256"


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """How connections are lent. `most` and `idle` in percent of what the engine takes."""

    most: int = 100
    idle: int = 50
    borrow: int = 120
    filters: tuple[str, ...] = ()
    query: str = ""


@record(
    "rds",
    "proxy",
    key="name",
    index=("id", "target"),
    arn="db-proxy:{id}",
    missing=("DBProxyNotFoundFault", "DB proxy {key} doesn't exist.", 404),
    quotas=(
        Quota(
            ("rds", "L-D94C7EA3"),
            ("DBProxyQuotaExceededFault", "You have reached the quota of {limit} DB proxies."),
        ),
    ),
)
class Proxy(Record, frozen=True, kw_only=True):
    """A proxy. `target` is the instance's resource id, `instance` its identifier when it was registered."""

    name: str
    id: str
    group_id: str
    vpc_id: str
    subnets: tuple[Member, ...]
    groups: tuple[str, ...]
    role: str
    auth: tuple[Auth, ...]
    needs_tls: bool
    idle: int
    verbose: bool
    created: datetime
    updated: datetime
    state: str = "creating"
    pool: Pool = Pool()
    pool_updated: datetime
    target: str = ""
    instance: str = ""
    health: str = "REGISTERING"
    """Of the target: REGISTERING, AVAILABLE or UNAVAILABLE; `why` and `words` say why it is not available."""
    why: str = ""
    words: str = ""
    vcpus: int = 0
    """Of the target: what is billed."""
    tags: dict[str, str] = {}


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A machine with a pooler, in one of the endpoint's subnets."""

    machine: str
    volume: str
    subnet_id: str
    zone: str
    interface: str


@record(
    "rds",
    "proxy-endpoint",
    key="id",
    index=("name", "proxy"),
    arn="db-proxy-endpoint:{id}",
    missing=("DBProxyEndpointNotFoundFault", "DB proxy endpoint {key} doesn't exist.", 404),
)
class ProxyEndpoint(Record, frozen=True, kw_only=True):
    """Where a proxy is reached."""

    id: str
    name: str
    proxy: str
    vpc_id: str
    subnets: tuple[str, ...]
    groups: tuple[str, ...]
    first: bool
    """The one that comes and goes with its proxy."""
    created: datetime
    state: str = "creating"
    nodes: tuple[Node, ...]
    tags: dict[str, str] = {}
