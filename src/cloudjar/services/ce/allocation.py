"""Cost allocation tags: which tag keys reports know.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.usage import Usage
from cloudjar.services.ce.asking import Asking, asks
from cloudjar.services.ce.errors import invalid
from cloudjar.services.ce.records import AllocationTag

_MOST_ACTIVE, _AT_ONCE = 500, 20
_MONTH = "%Y-%m-01T00:00:00Z"
AWS = "aws:"


def _seen(asking: Asking) -> dict[str, datetime]:
    """Every key that a resource of the account, or of one that it pays for, has had, with when it was last given."""
    usage: Usage = asking.ctx.world.ports["usage"]
    found: dict[str, datetime] = {}
    for label in usage.labels():
        if label.account == asking.ctx.account or asking.ledger.payer(label.account) == asking.ctx.account:
            found.update(dict.fromkeys(label.tags, label.since))
    return found


@asks("ListCostAllocationTags")
def list_cost_allocation_tags(asking: Asking, req: dict[str, Any]) -> dict[str, Any]:
    """Keys that resources have had, and those that were switched on or off."""
    known = {one.key: one for one in asking.ctx.db[AllocationTag].all()}
    seen = _seen(asking)
    shown = []
    for key in sorted({*known, *seen}):
        held = known.get(key)
        kind = "AWSGenerated" if key.startswith(AWS) else "UserDefined"
        status = "Active" if held is not None and held.active else "Inactive"
        if req.get("Status") not in (None, status) or req.get("Type") not in (None, kind):
            continue
        if req.get("TagKeys") and key not in req["TagKeys"]:
            continue
        one = {"TagKey": key, "Type": kind, "Status": status}
        if held is not None:
            one["LastUpdatedDate"] = f"{held.changed:%Y-%m-%dT%H:%M:%SZ}"
        if key in seen:
            one["LastUsedDate"] = seen[key].strftime(_MONTH)
        shown.append(one)
    return {"CostAllocationTags": shown}


@op("UpdateCostAllocationTagsStatus")
def update_cost_allocation_tags_status(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Switch keys on or off; keys that nothing has had are told of as errors."""
    wanted = {one["TagKey"]: one["Status"] == "Active" for one in req["CostAllocationTagsStatus"]}
    if len(wanted) != len(req["CostAllocationTagsStatus"]):
        raise invalid("Duplicate tag keys are not allowed.")
    if len(wanted) > _AT_ONCE:
        raise invalid(f"At most {_AT_ONCE} tag keys can be updated at once.")
    seen, table = _seen(Asking(ctx)), ctx.db[AllocationTag]
    errors = []
    active = sum(one.active for one in table.all())
    for key, on in wanted.items():
        held = table.get(key)
        if held is None and key not in seen:
            errors.append(_error(key, "TagKeysNotFoundException", "Tag keys not found"))
        elif on and not (held and held.active) and active >= _MOST_ACTIVE:
            errors.append(_error(key, "LimitExceededException", f"At most {_MOST_ACTIVE} tag keys can be active."))
        elif held is None:
            table.add(AllocationTag(key=key, active=on, changed=ctx.now))
            active += on
        elif held.active != on:
            table.put(replace(held, active=on, changed=ctx.now))
            active += on - held.active
    return {"Errors": errors}


def _error(key: str, code: str, message: str) -> dict[str, str]:
    return {"TagKey": key, "Code": code, "Message": message}
