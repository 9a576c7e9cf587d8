"""One batch through a pipe: to the target, and what it took is forgotten by the source.

Where the target can be called in the transaction that does so, nothing is sent twice; else it may be after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cloudjar.base.caller import Caller
from cloudjar.base.clock import monotonic
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.pipes import bill, sending
from cloudjar.services.pipes.records import Pipe
from cloudjar.services.pipes.sending import Outcome
from cloudjar.services.pipes.shaping import Item

Forget = Callable[[Outcome], None]
"""Have the source forget the batch but for what failed; in a transaction."""


def carry(ctx: Ctx, pipe: Pipe, who: Caller, items: Sequence[Item], forget: Forget) -> Outcome:
    """Send a batch and have the source forget what was taken. The outcome says what was not."""
    began = monotonic()
    transaction = ctx.world.state.database.transaction
    size = 0
    try:
        events = sending.prepared(ctx, pipe, items)
        size = sum(len(one.body.encode()) for one in events)
        if pipe.target_arn.service in sending.TOGETHER:
            with transaction():
                outcome = sending.send(ctx, pipe, who, events)
                forget(outcome)
        else:
            outcome = sending.send(ctx, pipe, who, events)
            with transaction():
                forget(outcome)
    except AwsError as error:
        outcome = Outcome(frozenset(item.mark for item in items), error)
        with transaction():
            forget(outcome)
    with transaction():
        _tell(ctx, pipe, items, outcome, size, (monotonic() - began) * 1000)
    return outcome


def _tell(ctx: Ctx, pipe: Pipe, items: Sequence[Item], outcome: Outcome, size: int, took: float) -> None:
    whole = len(outcome.failed) == len(items)
    partly = bool(outcome.failed) and not whole
    bill.asked(ctx.world, pipe, size)
    bill.measured(
        ctx.world,
        pipe,
        Duration=round(took, 1),
        EventCount=len(items),
        EventSize=size,
        ExecutionFailed=int(whole),
        ExecutionPartiallyFailed=int(partly),
        Invocations=1,
        TargetStageDuration=round(took, 1),
        TargetStageFailed=int(whole),
        TargetStagePartiallyFailed=int(partly),
    )
