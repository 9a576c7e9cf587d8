"""Configurations of buckets arrive as they were sent: an MD5 or checksum that is stated must be theirs.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

from cloudjar.kit.context import Ctx
from cloudjar.services.s3.objects import integrity

_PREFIX = "x-amz-checksum-"
_MD5 = "content-md5"


def check(ctx: Ctx) -> None:
    """Raise BadDigest, InvalidDigest or InvalidRequest for a body that is not what its headers say."""
    request = ctx.request
    if request is None or not isinstance(request.body, bytes) or not request.body:
        return
    for name, stated in request.headers.items():
        if name == _MD5:
            integrity.check_md5(stated, integrity.compute("MD5", request.body))
        elif name.startswith(_PREFIX) and name[len(_PREFIX) :].upper() in integrity.ALGORITHMS:
            algorithm = name[len(_PREFIX) :].upper()
            integrity.check_value(algorithm, integrity.compute(algorithm, request.body), stated)
