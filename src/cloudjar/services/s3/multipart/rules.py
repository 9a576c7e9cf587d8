"""What makes parts an object: order, sizes, ETags, checksums. Pure but for its refusals.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.services.s3 import errors
from cloudjar.services.s3.multipart.crcs import COMBINABLE, combined
from cloudjar.services.s3.objects import integrity
from cloudjar.services.s3.objects.rows import ChecksumType, Part, Upload

SMALLEST = 5 << 20
"""Bytes of every part but the last."""
MOST = 10_000
LARGEST = 50 * 10**12
"""Bytes of an object (50 TB)."""
_ONLY_FULL = frozenset(("CRC64NVME",))


def checksum_type(algorithm: str, asked: str) -> ChecksumType:
    """How an upload's parts make the object's checksum. Raises InvalidRequest for what does not go together."""
    if asked and not algorithm:
        raise errors.invalid_request(
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
        )
    if not algorithm or algorithm in _ONLY_FULL:
        default: ChecksumType = "FULL_OBJECT"
    else:
        default = "COMPOSITE"
    full = asked == "FULL_OBJECT"
    if (full and algorithm not in COMBINABLE) or (asked == "COMPOSITE" and algorithm in _ONLY_FULL):
        raise errors.invalid_request(
            f"The {asked} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return "FULL_OBJECT" if full else "COMPOSITE" if asked else default


def check_number(number: int) -> None:
    """Raise InvalidArgument for what cannot be a part's number."""
    if not 1 <= number <= MOST:
        raise errors.invalid_argument(
            f"Part number must be an integer between 1 and {MOST}, inclusive", "partNumber", str(number)
        )


def check_algorithm(upload: Upload, chosen: str) -> None:
    """Raise InvalidRequest for a part that does not bring the upload's checksum. `chosen` is "" when it brings none."""
    if upload.algorithm and chosen != upload.algorithm:
        raise errors.invalid_request(
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {chosen.lower() or 'null'}"
        )


def chosen(upload: Upload, listed: Sequence[Mapping[str, Any]], held: Mapping[int, Part]) -> list[Part]:
    """The parts that a completion lists, in its order. Raises as S3 does for what does not fit."""
    if not listed:
        raise errors.malformed_xml()
    found: list[Part] = []
    last = 0
    for one in listed:
        number = one.get("PartNumber")
        if number is None or not one.get("ETag"):
            raise errors.malformed_xml()
        if number <= last:
            raise errors.error(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
                UploadId=upload.id,
            )
        last = number
        found.append(_matching(upload, one, held.get(number)))
    for part in found[:-1]:
        if part.size < SMALLEST:
            raise errors.error(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=part.size,
                MinSizeAllowed=SMALLEST,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return found


def _matching(upload: Upload, one: Mapping[str, Any], part: Part | None) -> Part:
    stated = integrity.values(one)
    if part is None or one["ETag"].strip('"') != part.etag:
        raise _no_part(upload, one)
    if upload.algorithm and upload.checksum_type == "COMPOSITE" and upload.algorithm not in stated:
        raise errors.invalid_request(
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include "
            f"the checksum for each part. It was missing for part {part.number} in the request."
        )
    if any(part.checksums.get(name) not in (None, value) for name, value in stated.items()):
        raise _no_part(upload, one)
    return part


def _no_part(upload: Upload, one: Mapping[str, Any]) -> AwsError:
    return errors.error(
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified "
        "entity tag may not match the part's entity tag.",
        UploadId=upload.id,
        PartNumber=one["PartNumber"],
        ETag=one["ETag"].strip('"'),
    )


def etag(parts: Sequence[Part]) -> str:
    """The MD5 of the parts' MD5s, and their number."""
    together = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(together, usedforsecurity=False).hexdigest()}-{len(parts)}"


def checksum(upload: Upload, parts: Sequence[Part]) -> dict[str, str]:
    """The object's checksum by algorithm: of the whole, or of the parts' checksums with their number."""
    algorithm = upload.algorithm or integrity.DEFAULT
    raws = [base64.b64decode(part.checksums[algorithm]) for part in parts]
    if upload.checksum_type == "COMPOSITE":
        together = integrity.compute(algorithm, b"".join(raws))
        return {algorithm: f"{integrity.told(together)}-{len(parts)}"}
    sizes = [part.size for part in parts]
    return {algorithm: integrity.told(combined(algorithm, zip(raws, sizes, strict=True)))}


def check_completion(upload: Upload, req: Mapping[str, Any], size: int, found: Mapping[str, str]) -> None:
    """Raise unless what a completion says of the whole holds."""
    stated_size = req.get("MpuObjectSize")
    if stated_size is not None and int(stated_size) != size:
        raise errors.invalid_request(
            f"The provided 'x-amz-mp-object-size' header value {stated_size} does not match what was computed: {size}"
        )
    if size > LARGEST:
        raise errors.error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
    kind = req.get("ChecksumType")
    if kind and upload.algorithm and kind != upload.checksum_type:
        raise errors.invalid_request(
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete request must use the "
            "same checksum mode."
        )
    for algorithm, value in integrity.values(req).items():
        held = found.get(algorithm)
        if held is None:
            check_algorithm(upload, algorithm)
            raise errors.invalid_request(
                f"The upload was not created using a {algorithm.lower()} checksum. The complete request must not "
                "include one."
            )
        if held.partition("-")[0] != value.partition("-")[0]:
            raise AwsError(
                "BadDigest", f"The {algorithm.lower()} you specified did not match the calculated checksum.", 400
            )
