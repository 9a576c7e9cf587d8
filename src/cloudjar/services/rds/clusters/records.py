"""What is stored of clusters; their members are DB instances.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts.html
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.rds.records import Secret, Setting, Snapshot

CLUSTER = "rds/cluster"
SHARED = ("aurora-postgresql",)
"""Engines whose clusters have storage of their own, whoever is a member (`aurora`)."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Where the data of a cluster are while it has no members: the volume of who was the last, and who that was.
    `data_key` is bound to his resource id."""

    volume: str
    resource_id: str
    instance_id: str
    instance_class: str
    zone: str
    created: datetime
    data_key: bytes = b""


@record(
    "rds",
    "cluster",
    key="id",
    index=("subnet_group", "parameter_group"),
    arn="cluster:{id}",
    missing=("DBClusterNotFoundFault", "DBCluster {key} not found.", 404),
    quotas=(
        Quota(
            ("rds", "L-952B80B8"),
            ("DBClusterQuotaExceededFault", "You cannot have more than {limit} DB clusters"),
        ),
    ),
)
class DbCluster(Record, frozen=True, kw_only=True):
    """A cluster. Who is the writer is what this record says, and nobody else.

    A commit is acknowledged once any one of `waits` has it (readers, by identifier); none: the writer alone. One of
    `safe` has every commit that was ever acknowledged; none: the writer alone has. The record says so before the engine
    may do otherwise (`quorum`).
    """

    id: str
    resource_id: str
    engine: str
    major: str
    version: str
    instance_class: str
    """Of every member."""
    master: str
    db_name: str
    port: int
    storage: int
    storage_type: str
    iops: int
    throughput: int
    subnet_group: str
    vpc_id: str
    groups: tuple[str, ...]
    public: bool
    parameter_group: str = ""
    """Empty: the family's default."""
    created: datetime
    retention: int
    backup_window: str
    maintenance_window: str
    writer: str = ""
    waits: tuple[str, ...] = ()
    safe: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()
    """Readers that get what the writer writes, as was seen last."""
    state: str = "creating"
    target: str = ""
    """Who is to be the writer, where a failover was asked for by name."""
    taking: bool = False
    """The writer is being replaced: nobody else tells the members' engines who they are."""
    heir: str = ""
    """By whom, once that is certain."""
    answering: bool = False
    followers: bytes = b""
    """Sealed: the password by which the members follow each other."""
    secret: Secret | None = None
    kms_key: str = ""
    minor_upgrades: bool = True
    copies_tags: bool = False
    protected: bool = False
    stopped: datetime | None = None
    zones: tuple[str, ...] = ()
    """Of clusters with storage of their own: where members can be."""
    verifier: bytes = b""
    """Sealed: what the first of their members is to keep of the master's password; empty once the engine has it."""
    held: Held | None = None
    filled: bool = False
    """There are data: an engine ran on them, or they are a snapshot's."""
    source_snapshot: str = ""
    """The plane's snapshot of which `held` is still to be made."""
    used: int = 0
    """GiB of the storage that hold something, as was seen last."""
    http: bool = False
    """The Data API may be used (`services/rds_data`)."""
    grown: datetime | None = None
    """By the machine's clock: when the storage was last made larger."""
    tags: dict[str, str] = {}


@record(
    "rds",
    "cluster-snapshot",
    key="id",
    index=("cluster_id", "resource_id"),
    arn="cluster-snapshot:{id}",
    missing=("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot {key} not found.", 404),
    quotas=(
        Quota(
            ("rds", "L-9B510759"),
            ("SnapshotQuotaExceeded", "Cannot create more than {limit} manual snapshots"),
            counts=lambda snapshot: snapshot.kind == "manual",
        ),
    ),
)
class ClusterSnapshot(Record, frozen=True, kw_only=True):
    """A copy of the volume of a cluster's writer. `taken` is what it is as the snapshot of an instance: the plane's
    name of it, what made it, and whose key encrypts it. `kind` is manual or automated."""

    id: str
    kind: str
    cluster_id: str
    resource_id: str
    cluster_created: datetime
    engine: str
    retention: int
    backup_window: str
    zones: tuple[str, ...]
    begun: datetime
    taken: Snapshot
    state: str = "creating"
    copy_of: str = ""
    """The plane's snapshot that it is a copy of; `source_arn` is what that is called."""
    source_arn: str = ""
    shared_with: tuple[str, ...] = ()
    """Accounts that may restore it; ``all``: everybody."""
    tags: dict[str, str] = {}


@record(
    "rds",
    "cluster-pg",
    key="name",
    arn="cluster-pg:{name}",
    missing=("DBParameterGroupNotFound", "DBClusterParameterGroup not found: {key}", 404),
    quotas=(
        Quota(
            ("rds", "L-E4C808A8"),
            ("DBParameterGroupQuotaExceeded", "The DB cluster parameter groups exceed the quota of {limit}."),
            counts=lambda group: not group.name.startswith("default."),
        ),
    ),
)
class ClusterParameterGroup(Record, frozen=True, kw_only=True):
    """Parameters of a family that are other than its defaults, for all members of clusters."""

    name: str
    family: str
    description: str
    settings: dict[str, Setting] = {}
    tags: dict[str, str] = {}


@record(
    "rds",
    "cluster-endpoint",
    key="id",
    index=("cluster",),
    arn="cluster-endpoint:{id}",
    missing=("DBClusterEndpointNotFoundFault", "DBClusterEndpoint {key} not found.", 400),
)
class ClusterEndpoint(Record, frozen=True, kw_only=True):
    """A name of some members of a cluster, by identifier: of those in `static`, or of all but `excluded`. `kind` is
    READER or ANY."""

    id: str
    resource_id: str
    cluster: str
    kind: str
    static: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    tags: dict[str, str] = {}
