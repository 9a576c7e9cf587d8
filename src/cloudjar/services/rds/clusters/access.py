"""Condition keys that clusters bring, and who may use a snapshot that is shared.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import ResourcePolicy, resource_keys, resource_policies
from cloudjar.services.rds.clusters.records import ClusterSnapshot, DbCluster


@resource_keys("rds", "cluster")
def of_clusters(cluster: DbCluster) -> Mapping[str, Any]:
    """What a cluster is."""
    return {
        "rds:DatabaseEngine": cluster.engine,
        "rds:DatabaseName": cluster.db_name,
        "rds:StorageEncrypted": bool(cluster.kms_key),
    }


@resource_policies("rds", "cluster-snapshot")
def of_snapshots(_: Ctx, snapshot: ClusterSnapshot) -> ResourcePolicy:
    """Who a snapshot is shared with may restore and copy it, as far as his own policies let him."""
    if not snapshot.shared_with:
        return ResourcePolicy("")
    who = "*" if "all" in snapshot.shared_with else [f"arn:aws:iam::{one}:root" for one in snapshot.shared_with]
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": who},
        "Action": ["rds:CopyDBClusterSnapshot", "rds:RestoreDBClusterFromSnapshot"],
        "Resource": "*",
    }
    return ResourcePolicy(json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
