"""Snapshots as AWS shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit import tags
from cloudjar.services.ec2.lookup import by_path
from cloudjar.services.ec2.snapshots.records import Snapshot
from cloudjar.spec import images

BLOCK_BYTES = 512 << 10

FILTERS = by_path(
    {
        "description": "Description",
        "encrypted": "Encrypted",
        "owner-alias": "OwnerAlias",
        "owner-id": "OwnerId",
        "progress": "Progress",
        "snapshot-id": "SnapshotId",
        "start-time": "StartTime",
        "status": "State",
        "storage-tier": "StorageTier",
        "transfer-type": "TransferType",
        "volume-id": "VolumeId",
        "volume-size": "VolumeSize",
    }
)


def show_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """AWS's Snapshot."""
    done = snapshot.state == "completed"
    return {
        "CompletionTime": snapshot.completed,
        "Description": snapshot.description,
        "Encrypted": snapshot.encrypted,
        "FullSnapshotSizeInBytes": snapshot.all_blocks * BLOCK_BYTES if done else None,
        "KmsKeyId": snapshot.kms_key_id or None,
        "OwnerId": snapshot.account,
        "Progress": "100%" if done else "0%",
        "RestoreExpiryTime": snapshot.tiering.expires if snapshot.tiering else None,
        "SnapshotId": snapshot.id,
        "StartTime": snapshot.started,
        "State": snapshot.state,
        "StateMessage": snapshot.state_message or None,
        "StorageTier": "archive" if snapshot.archived else "standard",
        "Tags": tags.as_list(snapshot.tags) if snapshot.tags else None,
        "VolumeId": snapshot.volume_id,
        "VolumeSize": snapshot.size,
    }


def show_created(snapshot: Snapshot) -> dict[str, Any]:
    """The answer of the call that made it; AWS leaves the progress empty."""
    return {**show_snapshot(snapshot), "Progress": "", "Tags": tags.as_list(snapshot.tags)}


def show_of_image(image: images.Image) -> dict[str, Any]:
    """The snapshot behind a public image."""
    facts = image.facts()
    return {
        "Description": f"Root of {facts['Name']}",
        "Encrypted": False,
        "OwnerAlias": "amazon",
        "OwnerId": facts["OwnerId"],
        "Progress": "100%",
        "SnapshotId": image.snapshot_id,
        "StartTime": datetime.fromisoformat(facts["CreationDate"]),
        "State": "completed",
        "StorageTier": "standard",
        "VolumeId": "vol-ffffffff",
        "VolumeSize": facts["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"],
    }
