"""Buy plans, describe them, take queued ones back, return active ones, tag them.

https://docs.aws.amazon.com/savingsplans/latest/APIReference/API_CreateSavingsPlan.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.savingsplans.listing import page
from cloudjar.services.savingsplans.offerings import Offering, all_offerings
from cloudjar.services.savingsplans.records import ACTIVE, PENDING_RETURN, SavingsPlan
from cloudjar.spec import shares

LEAST, MOST = Decimal("0.001"), Decimal(5000)
MOST_RETURNED, RETURNABLE = Decimal(100), timedelta(days=7)
TAGS = 50


def invalid(message: str) -> AwsError:
    """400."""
    return AwsError("ValidationException", message, 400)


@op("CreateSavingsPlan")
def create_savings_plan(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Commit to dollars an hour for a term, from now on or from a time to come."""
    offering = all_offerings().get(req["savingsPlanOfferingId"])
    if offering is None:
        raise AwsError("ResourceNotFoundException", "The Savings Plan offering does not exist.", 404)
    commitment = _dollars(req["commitment"], "commitment")
    if not LEAST <= commitment <= MOST:
        raise invalid(f"The commitment must be between {LEAST} and {MOST} dollars an hour.")
    upfront = _upfront(offering, commitment, req.get("upfrontPaymentAmount"))
    start: datetime = req.get("purchaseTime") or ctx.now
    queued = start > ctx.now
    hours = Decimal(offering.seconds) / 3600
    plan = ctx.db[SavingsPlan].add(
        SavingsPlan(
            id=ids.uuid4(),
            offering=offering.id,
            commitment=str(commitment),
            upfront=str(upfront),
            recurring=str(max(commitment - upfront / hours, Decimal(0)).quantize(Decimal("0.00000001"))),
            bought=ctx.now,
            start=max(start, ctx.now),
            end=max(start, ctx.now) + timedelta(seconds=offering.seconds),
            state="queued" if queued else "payment-pending",
            tags=_tags(req.get("tags") or {}),
        )
    )
    return {"savingsPlanId": plan.id}


def _dollars(text: str, name: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0:
        raise invalid(f"The {name} is not an amount of dollars: {text}")
    return value


def _upfront(offering: Offering, commitment: Decimal, asked: str | None) -> Decimal:
    """All, nothing, or for Partial Upfront what was said, else half."""
    total = commitment * offering.seconds / 3600
    if offering.option != shares.PARTIAL_UPFRONT:
        if asked is not None:
            raise invalid("An upfront payment amount can be specified with the payment option Partial Upfront only.")
        return total if offering.option == shares.ALL_UPFRONT else Decimal(0)
    if asked is None:
        return total / 2
    amount = _dollars(asked, "upfront payment amount")
    if not 0 < amount < total:
        raise invalid(f"The upfront payment amount must be between 0 and {total} dollars.")
    return amount


def _tags(given: dict[str, str]) -> dict[str, str]:
    if any(key.lower().startswith("aws:") for key in given):
        raise invalid("Tag keys cannot begin with aws:.")
    if len(given) > TAGS:
        raise AwsError("ServiceQuotaExceededException", f"A Savings Plan has at most {TAGS} tags.", 402)
    return dict(given)


@op("DescribeSavingsPlans")
def describe_savings_plans(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Plans by id or ARN, by state and by filter."""
    found = ctx.db[SavingsPlan].all()
    wanted = [*(req.get("savingsPlanIds") or ()), *(a.rpartition("/")[2] for a in req.get("savingsPlanArns") or ())]
    if wanted:
        found = ctx.db[SavingsPlan].need_all(dict.fromkeys(wanted))
    states = req.get("states")
    shown = [show_plan(ctx, plan) for plan in found if not states or plan.state in states]
    for entry in req.get("filters") or ():
        shown = [view for view in shown if _admits(view, entry.get("name", ""), entry.get("values") or [])]
    return page("DescribeSavingsPlans", "savingsPlans", req, shown)


_FILTERS = {
    "region": "region",
    "ec2-instance-family": "ec2InstanceFamily",
    "instance-family": "ec2InstanceFamily",
    "commitment": "commitment",
    "upfront": "upfrontPaymentAmount",
    "term": "termDurationInSeconds",
    "savings-plan-type": "savingsPlanType",
    "payment-option": "paymentOption",
    "start": "start",
    "end": "end",
}


def _admits(view: dict[str, Any], name: str, values: list[str]) -> bool:
    return not values or str(view.get(_FILTERS[name])) in values


def show_plan(ctx: Ctx, plan: SavingsPlan) -> dict[str, Any]:
    """AWS's SavingsPlan."""
    offering = all_offerings()[plan.offering]
    return {
        "offeringId": plan.offering,
        "savingsPlanId": plan.id,
        "savingsPlanArn": ctx.arn(plan),
        "description": offering.description,
        "start": _time(plan.start),
        "end": _time(plan.end),
        "state": plan.state,
        "region": offering.region or None,
        "ec2InstanceFamily": offering.family or None,
        "savingsPlanType": offering.type,
        "paymentOption": offering.option,
        "productTypes": offering.products,
        "currency": "USD",
        "commitment": plan.commitment,
        "upfrontPaymentAmount": plan.upfront,
        "recurringPaymentAmount": plan.recurring,
        "termDurationInSeconds": offering.seconds,
        "returnableUntil": _time(returnable_until(plan)),
        "tags": plan.tags,
    }


def returnable_until(plan: SavingsPlan) -> datetime:
    """The end of the seven days (and of the month) in which a plan can be given back; its start, if it cannot be.

    https://docs.aws.amazon.com/savingsplans/latest/userguide/return-sp.html
    """
    if Decimal(plan.commitment) > MOST_RETURNED:
        return plan.start
    month = (plan.start.astimezone(UTC).replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return min(plan.start + RETURNABLE, month)


def _time(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%S.000Z}"


@op("DeleteQueuedSavingsPlan")
def delete_queued_savings_plan(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Take back a purchase that was not made yet."""
    plan = ctx.db[SavingsPlan].need(req["savingsPlanId"])
    if plan.state != "queued":
        raise invalid(f"The Savings Plan {plan.id} is not queued.")
    ctx.db[SavingsPlan].put(replace(plan, state="queued-deleted"))
    return {}


@op("ReturnSavingsPlan")
def return_savings_plan(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Give a plan back that was bought a few days ago, in this month: as if it had never been."""
    plan = ctx.db[SavingsPlan].need(req["savingsPlanId"])
    if plan.state != ACTIVE:
        raise invalid(f"The Savings Plan {plan.id} is not active.")
    if Decimal(plan.commitment) > MOST_RETURNED:
        raise invalid(f"Savings Plans of more than {MOST_RETURNED} dollars an hour cannot be returned.")
    if ctx.now >= returnable_until(plan):
        raise invalid("A Savings Plan can be returned within seven days of its purchase, in the same calendar month.")
    ctx.db[SavingsPlan].put(replace(plan, state=PENDING_RETURN))
    return {"savingsPlanId": plan.id}


@op("ListTagsForResource")
def list_tags_for_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The tags of a plan."""
    return {"tags": _by_arn(ctx, req["resourceArn"]).tags}


@op("TagResource")
def tag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give them other values."""
    plan = _by_arn(ctx, req["resourceArn"])
    ctx.db[SavingsPlan].put(replace(plan, tags=_tags({**plan.tags, **req["tags"]})))
    return {}


@op("UntagResource")
def untag_resource(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Remove tags."""
    plan = _by_arn(ctx, req["resourceArn"])
    left = {key: value for key, value in plan.tags.items() if key not in req["tagKeys"]}
    ctx.db[SavingsPlan].put(replace(plan, tags=left))
    return {}


def _by_arn(ctx: Ctx, arn: str) -> SavingsPlan:
    plan = ctx.db[SavingsPlan].get(arn.rpartition("/")[2])
    if plan is None or ctx.arn(plan) != arn:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} does not exist.", 404)
    return plan
