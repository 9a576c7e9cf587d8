"""S3's refusals, in AWS's words where they are known (README.md names the others).

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError


def error(code: str, message: str, status: int = 400, **members: Any) -> AwsError:
    """An answer with further elements (``Key``, ``BucketName``, ``Condition`` ...)."""
    return AwsError(code, message, status, members=members or None)


# -- buckets
def no_bucket(name: str) -> AwsError:
    """NoSuchBucket."""
    return error("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)


def access_denied(message: str = "Access Denied") -> AwsError:
    """AccessDenied."""
    return error("AccessDenied", message, 403)


# -- objects
def no_key(key: str) -> AwsError:
    """NoSuchKey."""
    return error("NoSuchKey", "The specified key does not exist.", 404, Key=key)


def no_version(key: str, version_id: str) -> AwsError:
    """NoSuchVersion."""
    return error("NoSuchVersion", "The specified version does not exist.", 404, Key=key, VersionId=version_id)


def bad_version_id(version_id: str) -> AwsError:
    """A version id that can be none."""
    text = "Invalid version id specified" if version_id else "Version id cannot be the empty string"
    return invalid_argument(text, "versionId", version_id)


def no_upload(upload_id: str) -> AwsError:
    """NoSuchUpload."""
    text = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
        "completed."
    )
    return error("NoSuchUpload", text, 404, UploadId=upload_id)


def marker_not_allowed(method: str, version_id: str, modified: str = "") -> AwsError:
    """405: what was named is a delete marker."""
    said = error(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        Method=method,
        ResourceType="DeleteMarker",
    )
    said.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version_id, "Allow": "DELETE"}
    if modified:
        said.headers["Last-Modified"] = modified
    return said


def precondition_failed(condition: str) -> AwsError:
    """412."""
    text = "At least one of the pre-conditions you specified did not hold"
    return error("PreconditionFailed", text, 412, Condition=condition)


def conflict(condition: str, key: str) -> AwsError:
    """409: a conditional write met another."""
    text = "The conditional request cannot succeed due to a conflicting operation against this resource."
    return error("ConditionalRequestConflict", text, 409, Condition=condition, Key=key)


# -- arguments
def invalid_argument(message: str, name: str = "", value: str | None = None) -> AwsError:
    """InvalidArgument."""
    members = {"ArgumentName": name, "ArgumentValue": value} if name else {}
    return error("InvalidArgument", message, 400, **members)


def invalid_request(message: str) -> AwsError:
    """InvalidRequest."""
    return error("InvalidRequest", message, 400)


def malformed_xml() -> AwsError:
    """MalformedXML."""
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return error("MalformedXML", text, 400)


def invalid_tag(message: str, key: str = "") -> AwsError:
    """InvalidTag."""
    return error("InvalidTag", message, 400, **({"TagKey": key} if key else {}))


def invalid_state(message: str, state: str) -> AwsError:
    """InvalidObjectState: an archived object that was not restored, or one that need not be."""
    return error("InvalidObjectState", message, 403, StorageClass=state)


def not_built(what: str) -> AwsError:
    """A part of S3 that is honestly absent."""
    return error("NotImplemented", f"s3: {what} is not built in Cloudjar.", 501)
