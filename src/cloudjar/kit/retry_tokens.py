"""Idempotency tokens: the same token with the same request gives the first answer again; with another, a refusal.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Run_Instance_Idempotency.html
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx

KEPT_SECONDS = 24 * 3600


class RetryTokens:
    """Remembered answers, written in the transaction that they answer for."""

    def __init__(self, database: Any) -> None:
        self._database = database
        database.execute(
            "CREATE TABLE IF NOT EXISTS retry_token (account TEXT, region TEXT, operation TEXT, token TEXT, "
            "request TEXT, answer BLOB, made REAL, PRIMARY KEY (account, region, operation, token)) WITHOUT ROWID"
        )
        database.execute("CREATE INDEX IF NOT EXISTS retry_token_made ON retry_token (made)")

    def remembered(self, ctx: Ctx, operation: str, token: str, req: dict[str, Any]) -> dict[str, Any] | None:
        """The first answer, or None when the token is new; raises IdempotentParameterMismatch."""
        rows = self._database.query(
            "SELECT request, answer FROM retry_token WHERE account=? AND region=? AND operation=? AND token=? "
            "AND made >= ?",
            (ctx.account, ctx.region, operation, token, ctx.now.timestamp() - KEPT_SECONDS),
        )
        if not rows:
            return None
        if rows[0][0] != _digest(req):
            raise AwsError(
                "IdempotentParameterMismatch",
                f"The client token {token} was used before with different request parameters.",
            )
        answer: dict[str, Any] = msgspec.msgpack.decode(rows[0][1])
        return answer

    def remember(self, ctx: Ctx, operation: str, token: str, req: dict[str, Any], answer: dict[str, Any]) -> None:
        """Keep an answer for a day, as AWS does; what is older goes."""
        self._database.execute("DELETE FROM retry_token WHERE made < ?", (ctx.now.timestamp() - KEPT_SECONDS,))
        self._database.execute(
            "INSERT INTO retry_token VALUES (?,?,?,?,?,?,?)",
            (
                ctx.account,
                ctx.region,
                operation,
                token,
                _digest(req),
                msgspec.msgpack.encode(answer),
                ctx.now.timestamp(),
            ),
        )


def _digest(req: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(req, order="deterministic")).hexdigest()
