"""Condition keys that snapshots and images bring to IAM.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.operation import resource_keys
from cloudjar.services.ec2.access import beside
from cloudjar.services.ec2.images.records import OwnImage
from cloudjar.services.ec2.snapshots.records import Snapshot


@resource_keys("ec2", "snapshot")
def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "ec2:Region": snapshot.region,
        "ec2:SnapshotID": snapshot.id,
        "ec2:Owner": snapshot.account,
        "ec2:ParentVolume": beside(snapshot, "volume", snapshot.volume_id),
        "ec2:SnapshotTime": f"{snapshot.started:%Y-%m-%dT%H:%M:%SZ}",
        "ec2:VolumeSize": str(snapshot.size),
        "ec2:Encrypted": "true" if snapshot.encrypted else "false",
    }


@resource_keys("ec2", "image")
def _image(image: OwnImage) -> dict[str, Any]:
    return {
        "ec2:Region": image.region,
        "ec2:ImageID": image.id,
        "ec2:ImageType": "machine",
        "ec2:Owner": image.account,
        "ec2:Public": "true" if image.public else "false",
        "ec2:RootDeviceType": "ebs",
    }
