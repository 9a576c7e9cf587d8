"""What a Host header says: which service, which bucket."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cloudjar.spec.models import catalogue
from cloudjar.spec.regions import GLOBAL, regions

_LOCAL = ("localhost", "amazonaws", "cloudjar")
_S3_LABEL = re.compile(
    r"s3(?:-control|-accesspoint|-fips|-website|-accelerate|-external-1)*(?:-[a-z]{2}(?:-[a-z]+)+-\d)?"
)


class Host(NamedTuple):
    """`service` is an endpoint prefix (``ec2``, ``api.ecr``, ``s3``) or empty; `bucket` likewise."""

    service: str = ""
    bucket: str = ""
    local_labels: str = ""
    """What stands before ``localhost``: the bucket, when the request is signed for S3."""


@lru_cache(maxsize=1024)
def read(host: str) -> Host:
    """Take a Host header apart; the port does not matter."""
    name = host.lower()
    if name.startswith("["):
        return Host()
    labels = name.partition(":")[0].rstrip(".").split(".")
    anchor = next((i for i, label in enumerate(labels) if label in _LOCAL), -1)
    if anchor < 0 and labels[0] != "s3" and "s3" not in labels[:-1]:
        return Host()
    end = anchor if anchor >= 0 else len(labels)
    for i in range(end - 1, -1, -1):
        if _S3_LABEL.fullmatch(labels[i]) and i + 1 < len(labels):
            service = "s3-control" if "control" in labels[i] else "s3"
            return Host(service, ".".join(labels[:i]))
    prefixes = _prefixes()
    for size in range(min(3, end), 0, -1):
        for start in range(end - size + 1):
            candidate = ".".join(labels[start : start + size])
            if candidate in prefixes:
                return Host(candidate)
    return Host(local_labels=".".join(labels[:end]) if anchor > 0 and labels[anchor] == "localhost" else "")


@lru_cache(maxsize=1024)
def region(host: str) -> str:
    """The region that a Host header names (``sts.eu-west-3.amazonaws.com``), us-east-1 for the one address of STS
    that names none, else ""."""
    name = host.lower().partition(":")[0].rstrip(".")
    if name == "sts.amazonaws.com":
        return GLOBAL
    labels = name.split(".")
    anchor = next((i for i, label in enumerate(labels) if label in _LOCAL), 0)
    return next((label for label in labels[:anchor] if label in _regions()), "")


@lru_cache(maxsize=1)
def _regions() -> frozenset[str]:
    return frozenset(known.name for known in regions())


@lru_cache(maxsize=1)
def _prefixes() -> frozenset[str]:
    return frozenset(e.endpoint_prefix for e in catalogue().values())
