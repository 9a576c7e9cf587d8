"""A look at each watched account once a day: most of what is free is used, something was earned.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/tracking-free-tier-usage.html
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from cloudjar.billing.ledger import ledger
from cloudjar.kit import account_credits, accounts, mailbox
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.services.freetier import activities, offers, plans
from cloudjar.services.freetier.offers import Used
from cloudjar.services.freetier.records import Watch

LOOK = "look"
PERCENT = 85
_DAY = 86400
_SENDER = "freetier@costalerts.amazonaws.com"


@reconciler(Watch)
def look(step: Step, watch: Watch | None) -> None:
    """At once when the account is watched, then every midnight (UTC)."""
    if watch is None:
        _begin(step)
        return
    if step.wake.purpose != LOOK and watch.told.get("") == "begun":
        return
    ctx = Ctx(step.world, watch.account, "", step.ctx.caller)
    ledger(step.world).collect()
    found = [one for one in offers.used(step.world, ctx.account) if one.share > PERCENT]
    account = accounts.described(ctx.db, ctx.account)
    ended = account.state == "ACTIVE" and plans.plan(ctx).status == "EXPIRED"
    days = (ctx.now - account.opened).days + 1 if account.opened is not None else 31
    done = activities.done(ctx, days)
    with step.world.state.database.transaction():
        now = step.db[Watch].get(watch.id)
        if now is None:
            return
        told = {**now.told, "": "begun"}
        for one in found:
            told.update(_tell(ctx, account.email, told, one))
        earned = {**dict.fromkeys(sorted(done), ctx.now), **now.earned}
        if account.plan == "free":
            for key in sorted(earned.keys() - now.earned.keys()):
                account_credits.give(ctx.db, ctx.account, key, activities.title(key), activities.CREDIT, ctx.now)
        step.db[Watch].put(replace(now, told=told, earned=earned))
        if ended:
            _close(ctx, account)
    seconds = int(ctx.now.timestamp())
    step.again(LOOK, datetime.fromtimestamp(seconds - seconds % _DAY + _DAY, UTC))


def _begin(step: Step) -> None:
    """An account was opened: it is watched from its first day."""
    with step.world.state.database.transaction():
        if accounts.described(step.db, step.key).plan != "paid" and step.db[Watch].get(step.key) is None:
            step.db[Watch].add(Watch(id=step.key))


def _close(ctx: Ctx, account: accounts.Account) -> None:
    """The free plan is over: nobody gets in any more, until the account is upgraded."""
    accounts.save(ctx.db, replace(account, state="SUSPENDED", closed=ctx.now))
    body = "\n".join((
        f"AWS Account {ctx.account}", "", "Dear AWS Customer,", "",
        "Your free account plan has ended, and your account is closed. Its resources are kept for 90 days:",
        "until then you can upgrade to the paid plan and go on.",
    ))  # fmt: skip
    subject = "Your AWS free account plan has ended"
    mailbox.deliver(ctx.world, mailbox.Mail(ctx.account, "", "email", _SENDER, account.email, subject, body))


def _tell(ctx: Ctx, to: str, told: dict[str, str], one: Used) -> dict[str, str]:
    """Once a month of each usage type."""
    key, month = f"{one.service} {one.usage_type}", f"{ctx.now:%Y-%m}"
    if told.get(key) == month:
        return {}
    body = "\n".join((
        f"AWS Account {ctx.account}", "", "Dear AWS Customer,", "",
        f"More than {PERCENT}% of what is free of {one.service} in {ctx.now:%B %Y} is used.", "",
        f"Usage type: {one.usage_type}",
        f"Used: {one.actual.normalize():f} {one.unit}",
        f"Free each month: {one.limit.normalize():f} {one.unit}",
    ))  # fmt: skip
    subject = f"AWS Free Tier limit alert: {one.service}"
    mailbox.deliver(ctx.world, mailbox.Mail(ctx.account, "", "email", _SENDER, to, subject, body))
    return {key: month}
