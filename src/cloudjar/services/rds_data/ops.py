"""The operations: what blocks is done by `prepare`, on a thread.

https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds_data import statements, transactions
from cloudjar.services.rds_data.records import Transaction


@op("ExecuteStatement", prepare=statements.executed, data=True)
def execute_statement(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """One statement, committed by itself where it is in no transaction."""
    found: dict[str, Any] = ctx.fetched
    return found


@op("BatchExecuteStatement", prepare=statements.batched, data=True)
def batch_execute_statement(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """A statement for each set of parameters."""
    found: dict[str, Any] = ctx.fetched
    return found


@op("BeginTransaction", prepare=statements.begun, data=True)
def begin_transaction(ctx: Ctx, _: dict[str, Any]) -> dict[str, Any]:
    """A transaction that ends three minutes after it was named last."""
    return {"transactionId": transactions.begun(ctx, *ctx.fetched)}


def _committed(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    return statements.ended(ctx, req, "COMMIT")


def _rolled_back(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    return statements.ended(ctx, req, "ROLLBACK")


@op("CommitTransaction", prepare=_committed, data=True)
def commit_transaction(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What it did is there for everybody."""
    return _over(ctx, req, "Transaction Committed")


@op("RollbackTransaction", prepare=_rolled_back, data=True)
def rollback_transaction(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Nothing of it is left."""
    return _over(ctx, req, "Rollback Complete")


def _over(ctx: Ctx, req: dict[str, Any], status: str) -> dict[str, Any]:
    if (found := ctx.db[Transaction].get(req["transactionId"])) is not None:
        ctx.db[Transaction].drop(found)
    return {"transactionStatus": status}
