"""What costs money: an instance by the hour while it runs, its storage while it is there.

Snapshots cost where they are larger than the storage that is paid for, which is not metered (README.md).

https://aws.amazon.com/rds/postgresql/pricing/
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from cloudjar.kit.usage import Meter, meters
from cloudjar.services.rds import encryption
from cloudjar.services.rds.clusters.records import SHARED
from cloudjar.services.rds.records import DbInstance
from cloudjar.spec import databases, prices

STORAGE = {
    "gp2": "RDS:GP2-Storage", "gp3": "RDS:GP3-Storage", "io1": "RDS:PIOPS-Storage", "io2": "RDS:PIOPS-Storage",
    "standard": "RDS:StorageUsage",
}  # fmt: skip
_IDLE = ("creating", "stopped", "starting", "deleting", encryption.RECOVERABLE, encryption.LOST)


@meters(DbInstance)
def hours(db: DbInstance) -> Iterable[Meter]:
    """The instance and its storage; members of a cluster are billed with it, and by themselves where its storage is its
    own."""
    operation = databases.operation(db.engine)
    if db.cluster:
        if db.engine in SHARED and db.state not in _IDLE and db.answering:
            yield Meter("AmazonRDS", f"InstanceUsage:{db.instance_class}", operation, "Hrs")
        return
    if db.state not in _IDLE and db.answering:
        yield _running(db, operation)
    if db.answering:
        yield Meter("AmazonRDS", STORAGE[db.storage_type], "", "GB-Mo", Decimal(db.storage) * _copies(db))
        yield from performance(db.storage_type, db.iops, db.throughput, _copies(db))


def _copies(db: DbInstance) -> int:
    """Storage of a Multi-AZ instance costs double."""
    return 2 if db.multi_az else 1


def _running(db: DbInstance, operation: str) -> Meter:
    """Multi-AZ has usage types of its own; where no price of one is known, it is two instances."""
    single, multi = (f"{kind}:{db.instance_class}" for kind in ("InstanceUsage", "Multi-AZUsage"))
    if not db.multi_az:
        return Meter("AmazonRDS", single, operation, "Hrs")
    if prices.is_priced("AmazonRDS", multi, db.region, operation):
        return Meter("AmazonRDS", multi, operation, "Hrs")
    return Meter("AmazonRDS", single, operation, "Hrs", Decimal(2))


def performance(kind: str, iops: int, throughput: int, copies: int) -> Iterable[Meter]:
    """What is provisioned beyond what a volume has anyway, of so many volumes."""
    if kind in ("io1", "io2"):
        yield Meter("AmazonRDS", "RDS:PIOPS", "", "IOPS-Mo", Decimal(iops) * copies)
    if kind == "gp3" and iops > 12_000:
        yield Meter("AmazonRDS", "RDS:GP3-PIOPS", "", "IOPS-Mo", Decimal(iops - 12_000) * copies)
    if kind == "gp3" and throughput > 500:
        yield Meter("AmazonRDS", "RDS:GP3-Throughput", "", "MBPS-Mo", Decimal(throughput - 500) * copies)
