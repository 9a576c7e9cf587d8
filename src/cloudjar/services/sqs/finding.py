"""Queues by URL, and URLs of queues.

A URL's host is how the caller reached the jar, so that a client that sends requests to the URL itself (older SDKs do)
comes to the same door; what counts is its last two parts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import meta
from cloudjar.services.sqs import errors
from cloudjar.services.sqs.records import Queue

_ACCOUNT = re.compile(r"\d{12}")
_SPEC = meta(Queue).spec
_LONGEST = 1024


def url(ctx: Ctx, queue: Queue) -> str:
    """A queue's URL as the caller can use it."""
    request = ctx.request
    host = request.headers.get("host", "") if request is not None else ""
    if not host:
        return f"https://sqs.{queue.region}.amazonaws.com/{queue.account}/{queue.name}"
    scheme = "https" if request is not None and request.secure else "http"
    return f"{scheme}://{host}/{queue.account}/{queue.name}"


def queue(ctx: Ctx, req: dict[str, Any]) -> Queue:
    """The queue that a request's URL names; it may be another account's."""
    account, name = place(req["QueueUrl"])
    found = ctx.world.state.tables.get(_SPEC, account, ctx.region, name)
    if found is None:
        raise errors.no_queue()
    return found


@lru_cache(maxsize=4096)
def place(address: str) -> tuple[str, str]:
    """(account, name) of a URL; raises InvalidAddress."""
    parts = address.rstrip("/").rsplit("/", 2)
    if len(parts) < 3 or len(address) > _LONGEST or not _ACCOUNT.fullmatch(parts[1]):
        raise AwsError("InvalidAddress", f"The address {address} is not valid for this endpoint.", 404)
    return parts[1], parts[2]
