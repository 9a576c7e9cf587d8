"""What becomes of an attempt: done, tried again, or given up and put among the dead letters.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base.errors import AwsError
from cloudjar.kit import target_calls
from cloudjar.kit.context import Ctx
from cloudjar.kit.target_calls import Retries
from cloudjar.services.events import bill, sending
from cloudjar.services.events.outbox import Delivery, Kept, outbox
from cloudjar.services.events.records import Rule

_DENIED = ("AccessDenied", "AuthorizationError", "UnauthorizedOperation", "NotAuthorized", "AccessDeniedException")
_MISSING = ("NotFound", "NonExistent", "DoesNotExist")
_OWN = ("THIRD_ACCOUNT_HOP_DETECTED", "THIRD_REGION_HOP_DETECTED", "FAILURE_CODE_UNSPECIFIED", "CONNECTION_FAILURE",
        "ERROR_FROM_TARGET", "THROTTLING", "TIMEOUT")  # fmt: skip


class Failure(NamedTuple):
    """Why an attempt failed, in EventBridge's words; `again`: it may succeed another time."""

    code: str
    message: str
    again: bool


def failure(error: AwsError) -> Failure:
    """What an answer of a target's service means."""
    code = error.code
    if code in _OWN:
        return Failure(code, error.message, code in ("CONNECTION_FAILURE", "THROTTLING", "TIMEOUT"))
    if code == "NotImplemented":
        return Failure("SDK_CLIENT_ERROR", error.message, False)
    if target_calls.is_throttled(error):
        return Failure("THROTTLING", error.message, True)
    if any(word in code for word in _DENIED) or error.status == 403:
        return Failure("NO_PERMISSIONS", error.message, False)
    if any(word in code for word in _MISSING) or error.status == 404:
        return Failure("NO_RESOURCE", error.message, False)
    if error.is_server_fault:
        return Failure("INTERNAL_ERROR", error.message, True)
    return Failure("INVALID_PARAMETER", error.message, False)


def succeeded(ctx: Ctx, rule: Rule, delivery: Delivery) -> None:
    """The target has it; in a transaction."""
    outbox(ctx.world).done(delivery)
    bill.measured(ctx.world, rule, Invocations=1, InvocationAttempts=1, SuccessfulInvocationAttempts=1)


def failed(ctx: Ctx, rule: Rule, target: dict[str, Any], kept: Kept, delivery: Delivery, why: Failure) -> None:
    """The target does not have it; in a transaction."""
    now, box, tries, exhausted = ctx.now.timestamp(), outbox(ctx.world), delivery.tries + 1, ""
    if why.again:
        due = now + target_calls.pause(tries)
        over = Retries.of(target.get("RetryPolicy")).exhausted(tries, due - kept.received)
        if not over:
            box.later(delivery, due, tries)
            bill.measured(ctx.world, rule, InvocationAttempts=1, RetryInvocationAttempts=int(tries > 1))
            return
        exhausted = over[0]
    box.done(delivery)
    bill.measured(ctx.world, rule, Invocations=1, InvocationAttempts=1, FailedInvocations=1)
    _bury(ctx, rule, target, kept, why, exhausted, delivery.tries)


def _bury(
    ctx: Ctx, rule: Rule, target: dict[str, Any], kept: Kept, why: Failure, exhausted: str, retries: int
) -> None:
    arn = arns.parse((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    if arn is None:
        return
    told = {"RULE_ARN": rule.arn, "TARGET_ARN": target["Arn"], "ERROR_CODE": why.code, "ERROR_MESSAGE": why.message}
    if exhausted:
        told["EXHAUSTED_RETRY_CONDITION"] = exhausted
        told["RETRY_ATTEMPTS"] = str(retries)
    try:
        target_calls.bury(
            ctx, arn, kept.event, caller=sending.itself(rule), told=told, numbers=("RETRY_ATTEMPTS",)
        )
    except AwsError:
        bill.measured(ctx.world, rule, InvocationsFailedToBeSentToDlq=1)
    else:
        bill.measured(ctx.world, rule, InvocationsSentToDlq=1, DeadLetterInvocations=1)
