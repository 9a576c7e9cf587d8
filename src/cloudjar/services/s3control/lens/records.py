"""What is stored of Storage Lens.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_StorageLensConfiguration.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudjar.kit.record import Record, record

PRINCIPAL = "storage-lens.s3.amazonaws.com"
RUN = "s3control/lens-run"


@record(
    "s3",
    "storagelensconfiguration",
    key="id",
    arn="storage-lens/{id}",
    missing=("NoSuchConfiguration", "The specified configuration does not exist.", 404),
)
class Lens(Record, frozen=True, kw_only=True):
    """A configuration; its Region is its home, it looks at all."""

    id: str
    created: datetime
    configuration: dict[str, Any]
    """In AWS's own spelling."""
    tags: dict[str, str] = {}


@record("s3control", "lens-run", key="id")
class LensRun(Record, frozen=True, kw_only=True):
    """What wakes for a configuration. Never stored."""

    id: str
