"""What is not accepted, and not handed out, twice: deduplication ids and receive attempts, for five minutes each.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from cloudjar.services.sqs.rows import Rows

WINDOW = 300_000
_FEW = 16
"""How many that are over are forgotten at a time."""


def answered(rows: Rows, queue: int, scope: str, token: str, now: int) -> dict[str, Any] | None:
    """What was answered to the message with this id in the last five minutes, whatever became of it."""
    row = rows.database.execute(
        "SELECT answer FROM sqs_dedup WHERE queue=? AND scope=? AND dedup=? AND expires>?", (queue, scope, token, now)
    ).fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=dict[str, Any])


def remember(rows: Rows, queue: int, scope: str, token: str, now: int, answer: dict[str, Any]) -> None:
    """Answer the same for the next five minutes."""
    run = rows.database.execute
    run(
        "DELETE FROM sqs_dedup WHERE (queue, scope, dedup) IN (SELECT queue, scope, dedup FROM sqs_dedup WHERE "
        "queue=? AND expires<=? LIMIT ?)",
        (queue, now, _FEW),
    )
    data = msgspec.msgpack.encode(answer)
    run("INSERT OR REPLACE INTO sqs_dedup VALUES (?,?,?,?,?)", (queue, scope, token, now + WINDOW, data))


Receipts = list[tuple[int, int]]
"""(row, receipt) of each message that a receive gave out."""


def attempted(rows: Rows, queue: int, attempt: str, now: int) -> Receipts | None:
    """What this receive attempt gave out before."""
    row = rows.database.execute(
        "SELECT receipts FROM sqs_attempt WHERE queue=? AND attempt=? AND expires>?", (queue, attempt, now)
    ).fetchone()
    return None if row is None else msgspec.msgpack.decode(row[0], type=Receipts)


def attempt(rows: Rows, queue: int, attempt_id: str, now: int, receipts: Receipts) -> None:
    """Give out the same when the attempt is made again."""
    run = rows.database.execute
    run("DELETE FROM sqs_attempt WHERE queue=? AND expires<=?", (queue, now))
    data = msgspec.msgpack.encode(receipts)
    run("INSERT OR REPLACE INTO sqs_attempt VALUES (?,?,?,?)", (queue, attempt_id, now + WINDOW, data))
