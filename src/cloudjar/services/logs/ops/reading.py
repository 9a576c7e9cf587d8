"""GetLogEvents: a stream read forward or backward, a page at a time.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.logs import errors, tokens
from cloudjar.services.logs.finding import horizon, named, need_stream, standard_only
from cloudjar.services.logs.rows import LAST, Event, Place, pages, rows
from cloudjar.services.logs.sealing import Opener

MOST = 10_000
PAGE_BYTES = 1_048_576
_READ = 500


@op("GetLogEvents", pages=False)
def get_log_events(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Events of a stream in order; without a token or `startFromHead` the latest ones."""
    group = named(ctx, req)
    standard_only(group, "GetLogEvents")
    stream = need_stream(ctx, group, req["logStreamName"])
    low: Place = (max(req.get("startTime") or 0, horizon(ctx, group)), -1)
    high: Place = (req["endTime"], -1) if req.get("endTime") else LAST
    if high < low and req.get("startTime"):
        raise errors.invalid("The start time must be before the end time.")
    forward = bool(req.get("startFromHead"))
    token = req.get("nextToken")
    if token:
        direction, place = tokens.read_way(token)
        forward = direction == "f"
        low, high = (max(low, place), high) if forward else (low, min(high, place))

    def read(a: Place, b: Place, limit: int) -> list[Event]:
        return rows(ctx.world).of_stream(stream.number, a, b, limit, descending=not forward)

    limit = req.get("limit") or MOST
    found = _page(pages(read, low, high, min(limit, _READ), descending=not forward), limit)
    if not forward:
        found.reverse()
    opener = Opener(ctx, group)
    shown = [
        {"timestamp": e.time, "message": opener(e.key, e.message), "ingestionTime": e.ingested} for e in found
    ]
    return {"events": shown, **_tokens(found, token, low)}


def _page(events: Any, limit: int) -> list[Event]:
    found: list[Event] = []
    size = 0
    for event in events:
        size += event.size
        if found and size > PAGE_BYTES:
            break
        found.append(event)
        if len(found) >= limit:
            break
    return found


def _tokens(found: Sequence[Event], token: str | None, low: Place) -> dict[str, str]:
    """Where to go on either way; at an end it is the token that came."""
    if found:
        first, last = found[0].place, found[-1].place
        return {"nextForwardToken": tokens.way("f", last), "nextBackwardToken": tokens.way("b", first)}
    if not token:
        here = max(low, (0, 0))
        return {"nextForwardToken": tokens.way("f", here), "nextBackwardToken": tokens.way("b", here)}
    direction, (time, number) = tokens.read_way(token)
    if direction == "f":
        return {"nextForwardToken": token, "nextBackwardToken": tokens.way("b", (time, number + 1))}
    return {"nextForwardToken": tokens.way("f", (time, number - 1)), "nextBackwardToken": token}
