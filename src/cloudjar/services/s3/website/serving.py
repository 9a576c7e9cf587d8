"""A bucket as a website: on its own host name, for everybody whom the bucket lets read.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from cloudjar.base.caller import ANONYMOUS
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.doors import Ask, door
from cloudjar.services.s3 import errors
from cloudjar.services.s3.buckets.finding import find_bucket
from cloudjar.services.s3.buckets.records import Bucket
from cloudjar.services.s3.website import pages, rules
from cloudjar.services.s3.website.config import no_website
from cloudjar.wire import host
from cloudjar.wire.message import Request, Response

_PASSED_ON = (
    "if-match", "if-modified-since", "if-none-match", "if-unmodified-since", "range", "referer", "user-agent",
)  # fmt: skip
_REDIRECTION = "x-amz-website-redirect-location"


class Visit(NamedTuple):
    """One request to a website."""

    world: World
    request: Request
    ask: Ask
    request_id: str
    bucket: Bucket
    key: str

    @property
    def website(self) -> Mapping[str, Any]:
        """The bucket's configuration."""
        return self.bucket.website or {}


@door("website")
def serve(world: World, request: Request, ask: Ask, request_id: str) -> Response | Awaitable[Response] | None:
    """The page; None when the host name is no website's after all."""
    address = request.headers.get("host", "")
    at = host.read(address)
    name = at.bucket if at.kind == "website" else address.partition(":")[0].lower()
    bucket = find_bucket(Ctx(world, "anonymous", "", ANONYMOUS), name)
    if at.kind != "website" and (bucket is None or bucket.website is None):
        return None
    try:
        _check(request, name, bucket, at.region)
    except AwsError as error:
        return pages.error(error, request_id)
    assert bucket is not None
    key = unquote_to_bytes(request.path.removeprefix("/")).decode("utf-8", "replace")
    return _served(Visit(world, request, ask, request_id, bucket, key))


def _check(request: Request, name: str, bucket: Bucket | None, region: str) -> None:
    if request.method not in ("GET", "HEAD"):
        raise AwsError(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            405,
            members={"Method": request.method, "ResourceType": "OBJECT"},
        )
    if bucket is None:
        raise errors.no_bucket(name)
    if bucket.website is None:
        raise no_website(name)
    if region not in ("", bucket.location):
        raise AwsError(
            "IncorrectEndpoint",
            "The specified bucket exists in another region. Please direct requests to the specified endpoint.",
            400,
            members={"Endpoint": f"{name}.s3-website.{bucket.location}.amazonaws.com"},
        )


async def _served(visit: Visit) -> Response:
    everything = visit.website.get("RedirectAllRequestsTo")
    if everything is not None:
        return pages.redirect(visit.request, visit.request_id, everything, visit.request.path.removeprefix("/"))
    rule = rules.before(visit.website, visit.key)
    if rule is not None:
        return _redirected(visit, rule)
    suffix = visit.website["IndexDocument"]["Suffix"]
    is_folder = not visit.key or visit.key.endswith("/")
    found = await _get(visit, visit.key + suffix if is_folder else visit.key)
    if found.status < 400:
        return _with_redirection(visit, found)
    if not is_folder and found.status in (403, 404):
        index = await _get(visit, f"{visit.key}/{suffix}", "HEAD")
        if index.status < 400:
            return pages.moved(302, f"/{quote(visit.key, safe='/')}/", visit.request_id)
    return await _failed(visit, found)


async def _get(visit: Visit, key: str, method: str = "") -> Response:
    """The object, asked for by nobody in particular."""
    request = visit.request
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers and not method}
    asked = Request(
        method or request.method,
        f"/{visit.bucket.name}/{quote(key, safe='/')}",
        "",
        {**headers, "host": "localhost"},
        peer=request.peer,
        secure=request.secure,
        trusted=request.trusted,
        vpc=request.vpc,
        vpce=request.vpce,
        tls=request.tls,
    )
    answer = visit.ask(asked)
    return answer if isinstance(answer, Response) else await answer


def _with_redirection(visit: Visit, found: Response) -> Response:
    """An object may itself be a redirect."""
    target = next((value for name, value in found.headers if name.lower() == _REDIRECTION), "")
    if not target:
        return found
    pages.drop(found)
    return pages.moved(301, target, visit.request_id)


def _redirected(visit: Visit, rule: Mapping[str, Any]) -> Response:
    redirect = rule["Redirect"]
    key = rules.replaced(rule, visit.key)
    status = int(redirect.get("HttpRedirectCode") or 301)
    return pages.redirect(visit.request, visit.request_id, redirect, quote(key, safe="/"), status)


async def _failed(visit: Visit, found: Response) -> Response:
    """A rule for the error, else the error document, else a page that says what is wrong."""
    rule = rules.after(visit.website, visit.key, found.status)
    if rule is not None:
        return _redirected(visit, rule)
    error = pages.read_error(found)
    document = (visit.website.get("ErrorDocument") or {}).get("Key")
    if not document or found.status == 304:
        return pages.error(error, visit.request_id)
    shown = await _get(visit, document, "GET")
    if shown.status >= 400:
        return pages.error(error, visit.request_id, pages.read_error(shown))
    shown.status = found.status
    shown.headers.extend(pages.error_headers(error))
    return shown
