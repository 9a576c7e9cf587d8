"""The answers to signatures that do not hold, in the words of the service that was asked.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and each service's list of common errors.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from cloudjar.base.errors import AwsError

_S3 = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts", "s3control"})
_QUERY_NAMES = """
    query iam sts sqs sns rds neptune docdb elasticloadbalancing elbv2 elb autoscaling cloudformation monitoring
    cloudwatch route53 cloudfront elasticache ses email redshift elasticbeanstalk cloudsearch sdb importexport
"""
_REST_JSON_NAMES = """
    rest-json lambda apigateway apigatewayv2 execute-api eks batch efs elasticfilesystem backup amplify appconfig
    iot kafka mq es opensearch pinpoint polly glacier xray scheduler pipes sesv2 signer
"""
_QUERY = frozenset(_QUERY_NAMES.split())
_REST_JSON = frozenset(_REST_JSON_NAMES.split())
_SKEW = timedelta(minutes=15)
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


def speaks_s3(dialect: str) -> bool:
    """True for S3 and its kin, whose canonical form and answers differ."""
    return dialect in _S3


def mismatch(dialect: str, key_id: str, provided: str, canonical: str, to_sign: str) -> AwsError:
    """The signature is wrong. Says what should have been signed; nothing in it is secret to the caller."""
    if dialect in _S3:
        return AwsError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
            403,
            members={
                "AWSAccessKeyId": key_id,
                "StringToSign": to_sign,
                "SignatureProvided": provided,
                "StringToSignBytes": _spelled(to_sign),
                "CanonicalRequest": canonical,
                "CanonicalRequestBytes": _spelled(canonical),
            },
        )
    return _invalid(
        dialect,
        f"{_MISMATCH}\n\nThe Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{to_sign}'\n",
    )


def skewed(dialect: str, timestamp: str, signed: datetime, now: datetime) -> AwsError:
    """Signed more than 15 minutes ago, or in the future."""
    if dialect in _S3:
        return AwsError(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            403,
            members={"RequestTime": timestamp, "ServerTime": _iso(now), "MaxAllowedSkewMilliseconds": "900000"},
        )
    if dialect == "ec2":
        return AwsError("RequestExpired", "Request has expired.", 400)
    if signed < now:
        limit = f"{_basic(now - _SKEW)} ({_basic(now)} - 15 min.)"
        return _invalid(dialect, f"Signature expired: {timestamp} is now earlier than {limit}")
    limit = f"{_basic(now + _SKEW)} ({_basic(now)} + 15 min.)"
    return _invalid(dialect, f"Signature not yet current: {timestamp} is still later than {limit}")


def expired_url(dialect: str, timestamp: str, expires: int, signed: datetime, now: datetime) -> AwsError:
    """A presigned URL after its time."""
    if dialect in _S3:
        members = {
            "X-Amz-Expires": str(expires),
            "Expires": _iso(signed + timedelta(seconds=expires)),
            "ServerTime": _iso(now),
        }
        return AwsError("AccessDenied", "Request has expired", 403, members=members)
    if dialect == "ec2":
        return AwsError("RequestExpired", "Request has expired.", 400)
    life = max(timedelta(seconds=expires), _SKEW)
    minutes = int(life.total_seconds()) // 60
    limit = f"{_basic(now - life)} ({_basic(now)} - {minutes} min.)"
    return _invalid(dialect, f"Signature expired: {timestamp} is now earlier than {limit}")


def not_yet_valid(dialect: str, timestamp: str, signed: datetime, now: datetime) -> AwsError:
    """A presigned URL before its time."""
    if dialect in _S3:
        return AwsError("AccessDenied", "Request is not yet valid", 403, members={"ServerTime": _iso(now)})
    return skewed(dialect, timestamp, signed, now)


def bad_date(dialect: str, text: str) -> AwsError:
    """A date header that is not a date."""
    if dialect in _S3:
        return AwsError("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", 403)
    return _incomplete(
        dialect, f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )


def other_day(dialect: str, date: str, timestamp: str, *, query: bool) -> AwsError:
    """The credential scope is of another day than the request."""
    if dialect in _S3:
        message = f'Invalid credential date "{date}". This date is not the same as X-Amz-Date: "{timestamp[:8]}".'
        return query_parameters(dialect, message) if query else _header_malformed(message)
    return _invalid(
        dialect,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        f"'{date}' != '{timestamp[:8]}', from '{timestamp}'.",
    )


def bad_credential(dialect: str, text: str, *, query: bool) -> AwsError:
    """A credential that is not key/date/region/service/aws4_request."""
    if dialect in _S3:
        if query:
            return query_parameters(
                dialect,
                "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; "
                'expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
            )
        return _header_malformed(
            'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        )
    return _incomplete(
        dialect,
        f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'",
    )


def bad_terminator(dialect: str, terminator: str, *, query: bool) -> AwsError:
    """A credential scope that ends in something else."""
    if dialect in _S3:
        message = f'incorrect terminal "{terminator}". This endpoint uses "aws4_request".'
        return query_parameters(dialect, message) if query else _header_malformed(message)
    return _invalid(
        dialect, f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'."
    )


def incomplete_header(dialect: str, header: str, missing: Sequence[str]) -> AwsError:
    """An Authorization header without all its parts, or a request without a date."""
    if dialect in _S3:
        if list(missing) == ["Date"]:
            return bad_date(dialect, "")
        return _header_malformed(f"The authorization header is malformed; missing {', '.join(missing)}.", prefix="")
    said = [
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        if name == "Date"
        else f"Authorization header requires '{name}' parameter."
        for name in missing
    ]
    digest = base64.b64encode(hashlib.sha256(header.encode("utf-8", "replace")).digest()).decode()
    said.append(f"(Hashed with SHA-256 and encoded with Base64) Authorization={digest}")
    return _incomplete(dialect, " ".join(said))


def incomplete_query(dialect: str, missing: Sequence[str]) -> AwsError:
    """A presigned URL without all its parameters."""
    if dialect in _S3:
        return query_parameters(
            dialect,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )
    return _incomplete(dialect, " ".join(f"AWS query-string parameters must include '{name}'." for name in missing))


def query_parameters(dialect: str, message: str) -> AwsError:
    """A presigned URL with a parameter that cannot be."""
    if dialect in _S3:
        return AwsError("AuthorizationQueryParametersError", message, 400)
    return _incomplete(dialect, message)


def two_mechanisms(dialect: str) -> AwsError:
    """Both an Authorization header and a presigned query."""
    message = (
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
        "Signature query string parameter or the Authorization header should be specified"
    )
    return AwsError("InvalidArgument", message, 400) if dialect in _S3 else _incomplete(dialect, message)


def unknown_scheme(dialect: str, header: str) -> AwsError:
    """An Authorization header that is not AWS's."""
    if dialect in _S3:
        return AwsError(
            "InvalidArgument", "Unsupported Authorization Type", 400, members={"ArgumentName": "Authorization"}
        )
    return incomplete_header(dialect, header, ["Credential", "Signature", "SignedHeaders"])


def version_2(dialect: str) -> AwsError:
    """Signature Version 2, which AWS has retired region by region, and which is not accepted here."""
    message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
    return AwsError("InvalidRequest", message, 400) if dialect in _S3 else _incomplete(dialect, message)


def version_4a() -> AwsError:
    """Signature Version 4A, honestly not built."""
    return AwsError(
        "NotImplemented",
        "Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not built in Cloudjar; "
        "sign with Signature Version 4 (AWS4-HMAC-SHA256).",
        501,
    )


def host_unsigned(dialect: str, *, presigned: bool) -> AwsError:
    """The host must always be signed, or the request could be sent elsewhere."""
    if dialect in _S3:
        return headers_unsigned(dialect, ["host"])
    where = "AWS query-string" if presigned else "AWS Authorization"
    return _invalid(dialect, f"'Host' or ':authority' must be a 'SignedHeader' in the {where}.")


def headers_unsigned(dialect: str, names: Sequence[str]) -> AwsError:
    """Headers that carry meaning must be signed, or they could be added on the way."""
    if dialect in _S3:
        return AwsError(
            "AccessDenied",
            "There were headers present in the request which were not signed",
            403,
            members={"HeadersNotSigned": ", ".join(names)},
        )
    quoted = " ".join(f"'{name}' must be a 'SignedHeader' in the AWS Authorization." for name in names)
    return _invalid(dialect, quoted)


def bad_payload_mark(dialect: str, declared: str) -> AwsError:
    """An x-amz-content-sha256 that is neither a hash nor a mark accepted here."""
    if dialect in _S3:
        return AwsError(
            "InvalidArgument",
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER "
            "or a valid sha256 value.",
            400,
            members={"ArgumentName": "x-amz-content-sha256", "ArgumentValue": declared},
        )
    return _invalid(dialect, f"The payload of this operation must be signed; x-amz-content-sha256 is '{declared}'.")


def payload_mismatch(dialect: str, declared: str, actual: str) -> AwsError:
    """The body is not the one that was signed."""
    if dialect in _S3:
        return AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
            400,
            members={"ClientComputedContentSHA256": declared, "S3ComputedContentSHA256": actual},
        )
    return _invalid(dialect, f"{_MISMATCH} The payload's SHA-256 is {actual}, not {declared}.")


def _invalid(dialect: str, message: str) -> AwsError:
    """A signature that does not hold."""
    if dialect in _S3:
        return AwsError("SignatureDoesNotMatch", message, 403)
    if dialect == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if dialect in _QUERY or not dialect:
        return AwsError("SignatureDoesNotMatch", message, 403)
    return AwsError("InvalidSignatureException", message, 403 if dialect in _REST_JSON else 400)


def _incomplete(dialect: str, message: str) -> AwsError:
    """A signature that cannot be read."""
    if dialect == "ec2" or dialect in _QUERY or not dialect:
        return AwsError("IncompleteSignature", message, 400)
    return AwsError("IncompleteSignatureException", message, 403 if dialect in _REST_JSON else 400)


def _header_malformed(message: str, prefix: str = "The authorization header is malformed; ") -> AwsError:
    return AwsError("AuthorizationHeaderMalformed", prefix + message, 400)


def _spelled(text: str) -> str:
    return text.encode("latin-1", "replace").hex(" ")


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _basic(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")
