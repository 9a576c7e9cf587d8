"""Storage classes: which must be restored before they are read, how long that takes, how long they are paid for. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html
"""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.services.s3.objects.rows import Version

HOUR = 3600.0
ARCHIVED = frozenset(("GLACIER", "DEEP_ARCHIVE"))
"""Classes whose objects are not read without a restore; Intelligent-Tiering's archive tiers too, see `tiers`."""

RESTORE_SECONDS = {
    ("GLACIER", "Expedited"): 5 * 60.0,
    ("GLACIER", "Standard"): 5 * HOUR,
    ("GLACIER", "Bulk"): 12 * HOUR,
    ("DEEP_ARCHIVE", "Standard"): 12 * HOUR,
    ("DEEP_ARCHIVE", "Bulk"): 48 * HOUR,
    ("ARCHIVE_ACCESS", "Expedited"): 5 * 60.0,
    ("ARCHIVE_ACCESS", "Standard"): 5 * HOUR,
    ("ARCHIVE_ACCESS", "Bulk"): 12 * HOUR,
    ("DEEP_ARCHIVE_ACCESS", "Standard"): 12 * HOUR,
    ("DEEP_ARCHIVE_ACCESS", "Bulk"): 48 * HOUR,
}
"""How long a restore takes: the longest that AWS says of it (Standard 3-5 hours, Bulk 5-12; within 12 and 48)."""


def tier_of(version: Version) -> str:
    """The archive that a version must be restored from: its class, or its tier of Intelligent-Tiering. "": it can be
    read as it is."""
    if version.storage_class == "INTELLIGENT_TIERING":
        return version.archived
    return version.storage_class if version.storage_class in ARCHIVED else ""


class Class(NamedTuple):
    """What a class costs beside its bytes: `usage` begins its usage types (``TimedStorage-SIA-ByteHrs``: ``SIA``),
    `days` and `least` are the shortest time and smallest size that are paid, `overhead` bytes are added to each object
    (`standard` of them at the price of STANDARD)."""

    usage: str
    days: int = 0
    least: int = 0
    overhead: int = 0
    standard: int = 0


CLASSES = {
    "STANDARD": Class(""),
    "REDUCED_REDUNDANCY": Class("RRS"),
    "STANDARD_IA": Class("SIA", 30, 128 << 10),
    "ONEZONE_IA": Class("ZIA", 30, 128 << 10),
    "INTELLIGENT_TIERING": Class("INT"),
    "GLACIER_IR": Class("GIR", 90, 128 << 10),
    "GLACIER": Class("Glacier", 90, 0, 32 << 10, 8 << 10),
    "DEEP_ARCHIVE": Class("GDA", 180, 0, 32 << 10, 8 << 10),
}
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html#sc-compare and, for the 32 KB and 8 KB
of archived objects, https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html"""
