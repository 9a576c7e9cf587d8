"""PutEvents.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
"""

from __future__ import annotations

import json
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.events import access, arriving, bill, errors, finding, passing

LIMIT = 1 << 20
_TIME = 14
_REQUIRED = ("Source", "DetailType", "Detail")


def size_of(entry: dict[str, Any]) -> int:
    """The bytes of an entry that count against the limit, and on the bill."""
    texts = [entry.get(name) or "" for name in _REQUIRED] + list(entry.get("Resources") or ())
    return (_TIME if entry.get("Time") else 0) + sum(len(text.encode()) for text in texts)


@op("PutEvents", access=access.of_events, data=True)
def put_events(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Put events on buses; each entry is answered by itself."""
    entries = req["Entries"]
    if sum(size_of(entry) for entry in entries) > LIMIT:
        raise errors.invalid("Total size of the entries in the request is over the limit.")
    answers = [_put(ctx, entry) for entry in entries]
    failed = sum("ErrorCode" in answer for answer in answers)
    bill.asked(ctx.world, ctx.account, ctx.region, len(entries), failed)
    return {"FailedEntryCount": failed, "Entries": answers}


def _put(ctx: Ctx, entry: dict[str, Any]) -> dict[str, Any]:
    passed = passing.passed(ctx.world, entry.get("TraceHeader"))
    bus = finding.bus_at(ctx, finding.bus_arn(ctx, entry.get("EventBusName")))
    if passed is not None:
        if bus is None:
            raise errors.no_bus(entry["EventBusName"])
        place = (bus.account, bus.region, bus.name)
        arriving.arrive(ctx.world, place, json.loads(passed.event), hops=passed.hops)
        return {"EventId": ""}
    try:
        detail = _checked(entry)
    except AwsError as error:
        return {"ErrorCode": error.code, "ErrorMessage": error.message}
    made = arriving.event(
        account=ctx.account,
        region=ctx.region,
        source=entry["Source"],
        detail_type=entry["DetailType"],
        detail=detail,
        time=entry.get("Time") or ctx.now,
        resources=list(entry.get("Resources") or ()),
    )
    if bus is not None:  # what is put on a bus that is not there is lost, and nobody is told
        arriving.arrive(ctx.world, (bus.account, bus.region, bus.name), made)
        bill.put(ctx.world, ctx.account, ctx.region, bus.name, size_of(entry))
    return {"EventId": made["id"]}


def _checked(entry: dict[str, Any]) -> Any:
    """The detail of an entry that may be; raises what the entry is answered."""
    for name in _REQUIRED:
        if not entry.get(name):
            raise AwsError("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument.")
    if len(entry["DetailType"]) > 128:
        raise AwsError("InvalidArgument", "Parameter DetailType is not valid. Reason: It is too long.")
    if entry["Source"].startswith("aws."):
        raise AwsError("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        raise AwsError("MalformedDetail", "Detail is malformed.")
    return detail
