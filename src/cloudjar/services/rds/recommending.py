"""What could be better about instances: worked out from what they are, whenever somebody asks.

Only dismissals are stored. An advice lasts as long as what it is about.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/monitoring-recommendations.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record, arn_of, record
from cloudjar.services.rds import maintenance, pairs
from cloudjar.services.rds.records import DbInstance


class Kind(NamedTuple):
    """A kind of advice, in its own words."""

    type_id: str
    severity: str
    category: str
    detection: str
    recommendation: str
    impact: str
    operation: str
    """The operation that does it, and what it is to be asked."""
    parameters: tuple[tuple[str, str], ...]


class Advice(NamedTuple):
    """An advice about an instance."""

    id: str
    kind: Kind
    db: DbInstance
    status: str
    updated: datetime


@record("rds", "recommendation", key="id")
class Answered(Record, frozen=True, kw_only=True):
    """What somebody made of an advice: it is dismissed, or to be done in the next window."""

    id: str
    status: str
    at: datetime


def _kind(
    name: str, severity: str, category: str, detection: str, recommendation: str, impact: str, **parameters: str
) -> Kind:
    return Kind(
        f"config_recommendation::{name}", severity, category, detection, recommendation, impact, "modifyDbInstance",
        tuple(parameters.items()),
    )  # fmt: skip


_BACKUPS = _kind(
    "backup_retention_off", "high", "reliability", "Automated backups are turned off",
    "Turn on automated backups", "What is lost cannot be had again", BackupRetentionPeriod="7",
)  # fmt: skip
_MULTI_AZ = _kind(
    "multi_az_instance", "low", "reliability", "The instance is in one Availability Zone",
    "Use Multi-AZ deployments", "The instance is down for as long as its zone is", MultiAZ="true",
)  # fmt: skip
_MINOR = _kind(
    "auto_minor_version_upgrade", "low", "security", "Automatic minor version upgrades are turned off",
    "Turn on automatic minor version upgrades", "What was mended in the engine does not come",
    AutoMinorVersionUpgrade="true",
)  # fmt: skip
_OLD = _kind(
    "old_minor_version", "medium", "security", "The engine is not of the latest minor version",
    "Upgrade to the latest engine version", "What was mended in the engine is missing",
)  # fmt: skip
_MONITORING = _kind(
    "enhanced_monitoring_off", "low", "operational excellence", "Enhanced Monitoring is turned off",
    "Turn on Enhanced Monitoring", "Nobody sees what the operating system does", MonitoringInterval="60",
)  # fmt: skip
_INSIGHTS = _kind(
    "performance_insights_off", "low", "operational excellence", "Performance Insights is turned off",
    "Turn on Performance Insights", "Nobody sees what the engine is busy with", EnablePerformanceInsights="true",
)  # fmt: skip
_AUTOSCALING = _kind(
    "storage_autoscaling_off", "medium", "reliability", "Storage autoscaling is turned off",
    "Turn on storage autoscaling", "The instance stops when its storage is full",
)  # fmt: skip
_ENCRYPTION = _kind(
    "encryption_off", "high", "security", "The storage is not encrypted",
    "Restore an encrypted copy of a snapshot", "Who has the storage has the data",
)  # fmt: skip


def _about(ctx: Ctx, db: DbInstance) -> Iterator[Kind]:
    """What could be better about one instance."""
    if not db.source and not db.cluster:
        if not db.retention:
            yield _BACKUPS
        if not db.multi_az and db.engine in pairs.ENGINES:
            yield _MULTI_AZ
    if not db.minor_upgrades:
        yield _MINOR
    if maintenance.newest(ctx, db):
        yield _OLD
    if not db.monitoring:
        yield _MONITORING
    if not db.insights:
        yield _INSIGHTS
    if not db.most_storage and not db.cluster:
        yield _AUTOSCALING
    if not db.kms_key:
        yield _ENCRYPTION


def every(ctx: Ctx) -> list[Advice]:
    """All advice of the account, by instance."""
    found = []
    for db in sorted(ctx.db[DbInstance].all(), key=lambda one: one.id):
        if not db.answering or db.state == "deleting":
            continue
        for kind in _about(ctx, db):
            name = _name(db, kind)
            answered = ctx.db[Answered].get(name)
            status = answered.status if answered is not None else "active"
            found.append(Advice(name, kind, db, status, answered.at if answered is not None else db.created))
    return found


def answer(ctx: Ctx, advice: Advice, status: str) -> Advice:
    """Dismiss an advice, or have it again."""
    held = ctx.db[Answered].get(advice.id)
    if held is not None:
        ctx.db[Answered].drop(held)
    if status != "active":
        ctx.db[Answered].add(Answered(id=advice.id, status=status, at=ctx.now))
    return advice._replace(status=status, updated=ctx.now)


def _name(db: DbInstance, kind: Kind) -> str:
    digest = hashlib.sha256(f"{arn_of(db)} {kind.type_id}".encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
