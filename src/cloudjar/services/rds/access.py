"""Condition keys that requests and records bring.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import request_keys, resource_keys
from cloudjar.services.rds.records import DbInstance


@request_keys("rds")
def of_requests(_: Ctx, __: str, req: dict[str, Any]) -> Mapping[str, Any]:
    """What a request asks for."""
    keys = {
        "rds:DatabaseClass": req.get("DBInstanceClass"),
        "rds:DatabaseEngine": req.get("Engine"),
        "rds:DatabaseName": req.get("DBName"),
        "rds:StorageSize": req.get("AllocatedStorage"),
        "rds:MultiAz": req.get("MultiAZ"),
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
        "rds:StorageEncrypted": False,
        "rds:MultiAz": db.multi_az,
        "rds:Piops": db.iops,
    }
