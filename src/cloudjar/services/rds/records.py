"""What is stored: DB instances, subnet groups, parameter groups, snapshots, events.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from cloudjar.kit.record import Quota, Record, record
from cloudjar.services.rds import authorities
from cloudjar.services.rds.options import Chosen

DB = "rds/db"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet of a subnet group."""

    id: str
    zone: str


@record(
    "rds",
    "subgrp",
    key="name",
    arn="subgrp:{name}",
    missing=("DBSubnetGroupNotFoundFault", "DB subnet group '{key}' does not exist.", 404),
    quotas=(
        Quota(
            ("rds", "L-48C6BF61"),
            ("DBSubnetGroupQuotaExceeded", "The number of DB subnet groups exceeds the quota of {limit}."),
        ),
    ),
)
class SubnetGroup(Record, frozen=True, kw_only=True):
    """Subnets of one VPC, in two zones at least."""

    name: str
    description: str
    vpc_id: str
    subnets: tuple[Member, ...]
    tags: dict[str, str] = {}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter as a user set it; `at_once` means that running instances take it now if they can."""

    value: str
    at_once: bool


@record(
    "rds",
    "pg",
    key="name",
    arn="pg:{name}",
    missing=("DBParameterGroupNotFound", "DBParameterGroup not found: {key}", 404),
    quotas=(
        Quota(
            ("rds", "L-DE55804A"),
            ("DBParameterGroupQuotaExceeded", "The number of DB parameter groups exceeds the quota of {limit}."),
            counts=lambda group: not group.name.startswith("default."),
        ),
    ),
)
class ParameterGroup(Record, frozen=True, kw_only=True):
    """Parameters of a family that are other than its defaults."""

    name: str
    family: str
    description: str
    settings: dict[str, Setting] = {}
    tags: dict[str, str] = {}


class Secret(msgspec.Struct, frozen=True, kw_only=True):
    """The master's password in Secrets Manager."""

    arn: str
    key_id: str


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to become of an instance; None leaves a thing as it is. `verifier` is sealed."""

    instance_class: str | None = None
    storage: int | None = None
    storage_type: str | None = None
    iops: int | None = None
    throughput: int | None = None
    port: int | None = None
    verifier: bytes | None = None
    retention: int | None = None
    multi_az: bool | None = None
    source: str | None = None
    """Empty: it becomes an instance of its own."""
    version: str | None = None
    major: str | None = None
    """With a later major comes a group of its family, `parameter_group`."""
    parameter_group: str | None = None
    iam: bool | None = None
    option_group: str | None = None
    """Empty: the default one. With it come the options that it has, `options`."""
    options: tuple[Chosen, ...] | None = None
    authority: str | None = None
    renamed: str | None = None
    """The identifier that it is to have."""

    @property
    def empty(self) -> bool:
        """Nothing is to change."""
        return self == Change()


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """How an instance that is made of a backup becomes what its source (a resource id) was at an instant of AWS time:
    with the segments of its log from `first` to `last`."""

    source: str
    first: str
    last: str
    until: datetime


@record(
    "rds",
    "db",
    key="id",
    index=("machine", "subnet_group", "parameter_group", "cluster"),
    parent=("rds/cluster", "cluster"),
    arn="db:{id}",
    missing=("DBInstanceNotFound", "DBInstance {key} not found.", 404),
    quotas=(
        Quota(
            ("rds", "L-7B6409FD"),
            ("InstanceQuotaExceeded", "DB Instance quota exceeded"),
        ),
    ),
)
class DbInstance(Record, frozen=True, kw_only=True):
    """A DB instance. `machine` is its guest, `volume` the guest's disk with the data."""

    id: str
    resource_id: str
    machine: str
    volume: str
    engine: str
    major: str
    version: str
    instance_class: str
    master: str
    db_name: str
    port: int
    storage: int
    storage_type: str
    iops: int
    throughput: int
    subnet_group: str
    vpc_id: str
    subnet_id: str
    zone: str
    groups: tuple[str, ...]
    public: bool
    interface_id: str
    parameter_group: str
    created: datetime
    retention: int
    backup_window: str
    maintenance_window: str
    state: str = "creating"
    source_snapshot: str = ""
    """The plane's snapshot of which the volume is made; empty: of nothing."""
    verifier: bytes = b""
    """Sealed: what the engine is to keep of the master's password; empty once it does."""
    secret: Secret | None = None
    running: dict[str, str] = {}
    """What of the parameter group the engine runs with: values as in the group."""
    pending: Change = Change()
    """Waits for the maintenance window, but `retention`."""
    change: Change = Change()
    """Is being done now."""
    answering: bool = False
    """Has an endpoint: it took connections at least once."""
    minor_upgrades: bool = True
    copies_tags: bool = False
    protected: bool = False
    stopped: datetime | None = None
    backed_up: datetime | None = None
    """When the last automated backup began."""
    final_snapshot: str = ""
    keeps_backups: bool = False
    recovery: Recovery | None = None
    """What is still to be done after the first boot."""
    kms_key: str = ""
    """The ARN of the key that encrypts its storage; empty: nothing does."""
    data_key: bytes = b""
    """Wrapped by that key."""
    grant: str = ""
    shut: datetime | None = None
    """Since when the key cannot be used."""
    exports: tuple[str, ...] = ()
    """Kinds of logs that are brought to CloudWatch Logs."""
    multi_az: bool = False
    """Another machine stands by for it (`pairs.Standby`)."""
    forced: bool = False
    """Being rebooted by having the standby take over."""
    source: str = ""
    """The ARN of the instance whose replica it is; empty: it takes writes."""
    follows: str = ""
    """The machine that its engine was last told to follow."""
    followers: bytes = b""
    """Sealed: the password by which other engines follow this one; empty: none ever did."""
    iam: bool = False
    """Takes tokens of IAM's principals in the place of passwords."""
    cluster: str = ""
    """The cluster that it is a member of (`clusters.records.DbCluster`); a reader has the writer for its source."""
    tier: int = 1
    """How soon it is to be the writer of that, 0 the soonest."""
    authority: str = authorities.USUAL
    """Whose its certificate is."""
    option_group: str = ""
    """Empty: the default of its engine's major version."""
    options: tuple[Chosen, ...] = ()
    """What of the option group the engine runs with."""
    most_storage: int = 0
    """GiB up to which its storage grows by itself; 0: it does not."""
    monitoring: int = 0
    """Seconds between two looks at its machine (Enhanced Monitoring); 0: none."""
    monitoring_role: str = ""
    insights: int = 0
    """Days for which Performance Insights keeps what it saw; 0: it is off."""
    insights_key: str = ""
    tags: dict[str, str] = {}


@record(
    "rds",
    "snapshot",
    key="id",
    index=("instance_id", "resource_id"),
    arn="snapshot:{id}",
    missing=("DBSnapshotNotFound", "DBSnapshot {key} not found.", 404),
    quotas=(
        Quota(
            ("rds", "L-272F1212"),
            ("SnapshotQuotaExceeded", "Cannot create more than {limit} manual snapshots"),
            counts=lambda snapshot: snapshot.kind == "manual",
        ),
    ),
)
class Snapshot(Record, frozen=True, kw_only=True):
    """A copy of an instance's volume; `key` is the plane's name of it. `kind` is manual or automated."""

    id: str
    key: str
    kind: str
    instance_id: str
    resource_id: str
    volume: str
    begun: datetime
    instance_created: datetime
    engine: str
    major: str
    version: str
    master: str
    db_name: str
    port: int
    storage: int
    storage_type: str
    iops: int
    throughput: int
    vpc_id: str
    zone: str
    instance_class: str
    state: str = "creating"
    frozen: datetime | None = None
    """By when the copy was taken: it holds nothing that came later."""
    log: str = ""
    """The newest segment of the instance's log that lay on the shelf when the copy was begun; `logged`: what was
    committed by then is in the log up to there."""
    logged: datetime | None = None
    kms_key: str = ""
    data_key: bytes = b""
    """As of the instance; bound to its resource id."""
    copy_of: str = ""
    """The plane's snapshot that it is a copy of; `source_arn` is what that is called."""
    source_arn: str = ""
    original: datetime | None = None
    """When the first snapshot was taken, of which this is a copy."""
    iam: bool = False
    """Whether the instance took tokens."""
    option_group: str = ""
    """As of the instance."""
    shared_with: tuple[str, ...] = ()
    """Accounts that may restore it; ``all``: everybody."""
    tags: dict[str, str] = {}


@record("rds", "event", key="id", index=("source",))
class Event(Record, frozen=True, kw_only=True):
    """Something that happened to a thing of the service."""

    id: str
    source: str
    kind: str
    arn: str
    message: str
    categories: tuple[str, ...]
    at: datetime
