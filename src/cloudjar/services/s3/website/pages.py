"""What visitors of a website see when there is no page: redirects, and errors in HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from http import HTTPStatus
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.wire.message import Request, Response
from cloudjar.wire.rest_xml import host_id, request_headers

_MEMBER = re.compile(rb"<(\w+)>([^<]*)</\1>")
_OUTER = frozenset(("Code", "Message", "RequestId", "HostId"))


def moved(status: int, location: str, request_id: str) -> Response:
    """A redirect, without a page."""
    return Response(status, [*request_headers("s3", request_id), ("Location", location)])


def redirect(
    request: Request, request_id: str, target: Mapping[str, Any], path: str, status: int = 301
) -> Response:
    """A redirect to another host or under another path (encoded, without its slash)."""
    scheme = target.get("Protocol") or ("https" if request.secure else "http")
    name = target.get("HostName") or request.headers.get("host", "")
    query = f"?{request.query}" if request.query and target.get("ReplaceKeyWith") is None else ""
    return moved(status, f"{scheme}://{name}/{path}{query}", request_id)


def read_error(response: Response) -> AwsError:
    """The error that an answer of S3 tells."""
    body = response.body if isinstance(response.body, bytes) else b""
    found = {name.decode(): unescape(value.decode("utf-8", "replace")) for name, value in _MEMBER.findall(body)}
    members = {name: value for name, value in found.items() if name not in _OUTER}
    code = found.get("Code") or HTTPStatus(response.status).phrase.replace(" ", "")
    return AwsError(code, found.get("Message", ""), response.status, members=members)


def drop(response: Response) -> None:
    """Let go of an answer that is not sent."""
    close = getattr(response.body, "close", None)
    if close is not None:
        close()


def error_headers(error: AwsError) -> list[tuple[str, str]]:
    """What is said of an error beside the page."""
    found = [("x-amz-error-code", error.code), ("x-amz-error-message", error.message)]
    found += [
        (f"x-amz-error-detail-{name}", str(value).encode().decode("latin-1")) for name, value in error.members.items()
    ]
    return [(name, value) for name, value in found if "\n" not in value and "\r" not in value]


def error(error: AwsError, request_id: str, besides: AwsError | None = None) -> Response:
    """An error as a page; `besides` is what went wrong with the error document."""
    status = error.status or 400
    title = f"{status} {HTTPStatus(status).phrase}"
    items = [*_items(error), f"<li>RequestId: {request_id}</li>", f"<li>HostId: {host_id(request_id)}</li>"]
    more = ""
    if besides is not None:
        listed = "\n".join(_items(besides))
        more = (
            "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n"
            f"<ul>\n{listed}\n</ul>\n"
        )
    text = (
        f"<html>\n<head><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n<ul>\n"
        + "\n".join(items)
        + f"\n</ul>\n{more}<hr/>\n</body>\n</html>\n"
    )
    headers = [
        *request_headers("s3", request_id),
        *error_headers(error),
        ("Content-Type", "text/html; charset=utf-8"),
    ]
    return Response(status, headers, text.encode())


def _items(error: AwsError) -> list[str]:
    told = {"Code": error.code, "Message": error.message, **error.members}
    return [f"<li>{escape(name)}: {escape(str(value))}</li>" for name, value in told.items()]
