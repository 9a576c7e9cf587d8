"""What a Host header says: which service, which bucket, which region.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cloudjar.spec.models import catalogue
from cloudjar.spec.regions import GLOBAL, regions

_LOCAL = ("localhost", "amazonaws", "cloudjar")
_S3_LABEL = re.compile(
    r"s3(?P<kind>(?:-control|-accesspoint|-fips|-website|-accelerate|-external-1)*)"
    r"(?:-(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?"
)
_KINDS = ("control", "accesspoint", "website", "accelerate")
_POINT = re.compile(r"(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)-(?P<account>\d{12})", re.ASCII)


class Host(NamedTuple):
    """`service` is an endpoint prefix (``ec2``, ``api.ecr``, ``s3``) or empty; `bucket` likewise."""

    service: str = ""
    bucket: str = ""
    local_labels: str = ""
    """What stands before ``localhost``: the bucket, when the request is signed for S3."""
    region: str = ""
    kind: str = ""
    """``website``, ``control``, ``accesspoint`` or ``accelerate`` where the name is one of those of S3."""


@lru_cache(maxsize=1024)
def read(host: str) -> Host:
    """Take a Host header apart; the port does not matter."""
    name = host.lower()
    if name.startswith("["):
        return Host()
    labels = name.partition(":")[0].rstrip(".").split(".")
    anchor = next((i for i in range(len(labels) - 1, -1, -1) if labels[i] in _LOCAL), -1)
    if anchor < 0 and labels[0] != "s3" and "s3" not in labels[:-1]:
        return Host()
    end = anchor if anchor >= 0 else len(labels)
    for i in range(end - 1, -1, -1):
        match = _S3_LABEL.fullmatch(labels[i])
        if match is not None and i + 1 < len(labels):
            return _of_s3(match, ".".join(labels[:i]), labels[i + 1 : end])
    prefixes = _prefixes()
    for size in range(min(3, end), 0, -1):
        for start in range(end - size + 1):
            candidate = ".".join(labels[start : start + size])
            if candidate in prefixes:
                return Host(candidate)
    return Host(local_labels=".".join(labels[:end]) if anchor > 0 and labels[anchor] == "localhost" else "")


def _of_s3(match: re.Match[str], before: str, after: list[str]) -> Host:
    """`before` and `after` are what surrounds S3's own label: the bucket, and the region."""
    where = match["region"] or next((label for label in after if label in _regions()), "")
    kind = next((one for one in _KINDS if one in match["kind"]), "")
    if kind == "control":
        return Host("s3-control", before, region=where, kind=kind)
    point = _POINT.fullmatch(before) if kind == "accesspoint" else None
    if point is not None:
        before = f"arn:aws:s3:{where}:{point['account']}:accesspoint/{point['name']}"
    return Host("s3", before, region=where, kind=kind)


@lru_cache(maxsize=1024)
def region(host: str) -> str:
    """The region that a Host header names (``sts.eu-west-3.amazonaws.com``), us-east-1 for the one address of STS
    that names none, else ""."""
    name = host.lower().partition(":")[0].rstrip(".")
    if name == "sts.amazonaws.com":
        return GLOBAL
    at = read(host)
    if at.service in ("s3", "s3-control"):
        return at.region
    labels = name.split(".")
    anchor = next((i for i, label in enumerate(labels) if label in _LOCAL), 0)
    return next((label for label in labels[:anchor] if label in _regions()), "")


@lru_cache(maxsize=1)
def _regions() -> frozenset[str]:
    return frozenset(known.name for known in regions())


@lru_cache(maxsize=1)
def _prefixes() -> frozenset[str]:
    return frozenset(e.endpoint_prefix for e in catalogue().values())
