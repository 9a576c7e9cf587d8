"""S3's refusals, in AWS's words where they are known (README.md names the others).

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def no_bucket(name: str) -> AwsError:
    """There is no bucket of that name."""
    return AwsError("NoSuchBucket", "The specified bucket does not exist", 404, members={"BucketName": name})


def access_denied(message: str = "Access Denied") -> AwsError:
    """The short refusal."""
    return AwsError("AccessDenied", message, 403)


def invalid_argument(message: str, name: str = "", value: str | None = None) -> AwsError:
    """A parameter that cannot be."""
    members = {"ArgumentName": name, "ArgumentValue": value} if name else {}
    return AwsError("InvalidArgument", message, 400, members=members)


def invalid_request(message: str) -> AwsError:
    """A request that does not fit what is there."""
    return AwsError("InvalidRequest", message, 400)


def malformed_xml() -> AwsError:
    """XML that is not what the operation takes."""
    return AwsError(
        "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema", 400
    )


def not_built(what: str) -> AwsError:
    """A part of S3 that is honestly absent."""
    return AwsError("NotImplemented", f"{what} is not built in Cloudjar.", 501)
