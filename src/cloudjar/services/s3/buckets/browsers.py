"""What browsers are told: answers to their preflights, and beside every answer, by the bucket's CORS rules.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
"""

from __future__ import annotations

from cloudjar.base.caller import ANONYMOUS
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.doors import Ask, door, finishes
from cloudjar.services.s3.buckets import cors
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.wire import host
from cloudjar.wire.message import Request, Response
from cloudjar.wire.rest_xml import request_headers


def _bucket(world: World, name: str) -> Bucket | None:
    return find_bucket(Ctx(world, "anonymous", "", ANONYMOUS), name)


@door("preflight")
def preflight(world: World, request: Request, _ask: Ask, request_id: str) -> Response | None:
    """The answer by the rules of the bucket that the request names; None when it names none that there is."""
    at = host.read(request.headers.get("host", ""))
    name = at.bucket or at.local_labels or request.path.lstrip("/").partition("/")[0]
    bucket = _bucket(world, name) if name else None
    if bucket is None:
        if at.service == "s3":
            raise _forbidden(request, "CORSResponse: Bucket not found")
        return None
    if bucket.cors is None:
        raise _forbidden(request, "CORSResponse: CORS is not enabled for this bucket.")
    origin = request.headers["origin"]
    method = request.headers["access-control-request-method"]
    asked = request.headers.get("access-control-request-headers", "")
    rule = cors.answering(bucket.cors, origin, method, asked.split(","))
    if rule is None:
        raise _forbidden(
            request,
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, "
            "request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted "
            "by the resource's CORS spec.",
        )
    return Response(200, [*request_headers("s3", request_id), *cors.headers(rule, origin, method, asked)])


def _forbidden(request: Request, message: str) -> AwsError:
    kind = "OBJECT" if request.path.strip("/").count("/") else "BUCKET"
    method = request.headers["access-control-request-method"]
    return AwsError("AccessForbidden", message, 403, members={"Method": method, "ResourceType": kind})


@finishes
def finish(world: World, request: Request, name: str, response: Response) -> None:
    """Beside an answer to a page from elsewhere: which of the bucket's rules lets the page have it."""
    bucket = _bucket(world, name)
    if bucket is None or bucket.cors is None or request.method == "OPTIONS":
        return
    origin = request.headers["origin"]
    rule = cors.answering(bucket.cors, origin, request.method)
    if rule is not None:
        response.headers.extend(cors.headers(rule, origin))
