"""Condition keys that requests and records bring.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import ResourcePolicy, request_keys, resource_keys, resource_policies
from cloudjar.services.rds.records import DbInstance, Snapshot


@request_keys("rds")
def of_requests(_: Ctx, __: str, req: dict[str, Any]) -> Mapping[str, Any]:
    """What a request asks for."""
    keys = {
        "rds:DatabaseClass": req.get("DBInstanceClass"),
        "rds:DatabaseEngine": req.get("Engine"),
        "rds:DatabaseName": req.get("DBName"),
        "rds:StorageSize": req.get("AllocatedStorage"),
        "rds:MultiAz": req.get("MultiAZ"),
        "rds:StorageEncrypted": req.get("StorageEncrypted"),
        "rds:ManageMasterUserPassword": req.get("ManageMasterUserPassword"),
    }
    return {name: value for name, value in keys.items() if value is not None}


@resource_keys("rds", "db")
def of_instances(db: DbInstance) -> Mapping[str, Any]:
    """What an instance is."""
    return {
        "rds:DatabaseClass": db.instance_class,
        "rds:DatabaseEngine": db.engine,
        "rds:DatabaseName": db.db_name,
        "rds:StorageSize": db.storage,
        "rds:StorageEncrypted": bool(db.kms_key),
        "rds:MultiAz": db.multi_az,
        "rds:Piops": db.iops,
    }


@resource_policies("rds", "snapshot")
def of_snapshots(_: Ctx, snapshot: Snapshot) -> ResourcePolicy:
    """Who a snapshot is shared with may restore and copy it, as far as his own policies let him."""
    if not snapshot.shared_with:
        return ResourcePolicy("")
    who = "*" if "all" in snapshot.shared_with else [f"arn:aws:iam::{one}:root" for one in snapshot.shared_with]
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": who},
        "Action": ["rds:CopyDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot"],
        "Resource": "*",
    }
    return ResourcePolicy(json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
