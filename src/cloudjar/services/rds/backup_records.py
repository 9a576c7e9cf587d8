"""What is stored of backups beside snapshots.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.html
"""

from __future__ import annotations

from datetime import datetime

from cloudjar.kit.record import Record, record
from cloudjar.services.rds.records import DbInstance


@record(
    "rds",
    "auto-backup",
    key="resource_id",
    index=("id", "instance_id"),
    arn="auto-backup:{id}",
    missing=("DBInstanceAutomatedBackupNotFound", "No automated backup found for {key}.", 404),
)
class AutomatedBackup(Record, frozen=True, kw_only=True):
    """The log of an instance, beside its automated snapshots.

    `until`: what was committed by then (AWS time) is on the shelf; `position`: where the engine's log ended then;
    `last`: the newest segment; `whole`: since when nothing of it is missing; `retained`: the instance, once it is gone.
    """

    resource_id: str
    id: str
    instance_id: str
    whole: datetime
    until: datetime | None = None
    position: str = ""
    last: str = ""
    retained: DbInstance | None = None
