"""What an instance's state forbids, operation by operation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.rds.site import PASSWORD, Site, refused

_NAMED = {"DBInstanceIdentifier": "shop"}
_NEEDS_AVAILABLE: list[tuple[str, dict[str, Any]]] = [
    ("modify_db_instance", {"AllocatedStorage": 40}),
    ("modify_db_instance", {"NewDBInstanceIdentifier": "other"}),
    ("modify_db_instance", {"MasterUserPassword": PASSWORD}),
    ("reboot_db_instance", {}),
    ("stop_db_instance", {}),
    ("create_db_snapshot", {"DBSnapshotIdentifier": "late"}),
    ("describe_valid_db_instance_modifications", {}),
]


@pytest.mark.parametrize("state", ["creating", "stopped", "deleting"])
def test_what_needs_an_available_instance_is_refused_to_others(steady_jar: TestJar, state: str) -> None:
    jar = steady_jar
    site = Site(jar)
    if state == "creating":
        site.create(BackupRetentionPeriod=0)
    else:
        site.available(BackupRetentionPeriod=0)
        if state == "stopped":
            site.rds.stop_db_instance(**_NAMED)
            jar.settle()
        else:
            site.rds.delete_db_instance(**_NAMED, SkipFinalSnapshot=True)
    assert site.show()["DBInstanceStatus"] == state
    for operation, more in _NEEDS_AVAILABLE:
        with refused("InvalidDBInstanceState"):
            getattr(site.rds, operation)(**_NAMED, **more)
    if state != "stopped":
        with refused("InvalidDBInstanceState", "is not in stopped or failed state"):
            site.rds.start_db_instance(**_NAMED)


def test_names_that_are_taken_are_refused_whatever_a_thing_is_made_of(jar: TestJar) -> None:
    site = Site(jar)
    site.available(BackupRetentionPeriod=1)
    site.rds.create_db_snapshot(**_NAMED, DBSnapshotIdentifier="before")
    jar.settle()
    with refused("DBSnapshotAlreadyExists", "before"):
        site.rds.create_db_snapshot(**_NAMED, DBSnapshotIdentifier="Before")
    with refused("DBInstanceAlreadyExists", "DB instance already exists"):
        site.rds.restore_db_instance_from_db_snapshot(**_NAMED, DBSnapshotIdentifier="before")
    with refused("DBInstanceAlreadyExists", "DB instance already exists"):
        site.rds.create_db_instance_read_replica(**_NAMED, SourceDBInstanceIdentifier="shop")
    with refused("DBInstanceAlreadyExists", "DB instance already exists"):
        site.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="shop", TargetDBInstanceIdentifier="shop", UseLatestRestorableTime=True
        )
