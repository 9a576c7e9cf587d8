"""Order within FIFO queues: a group whose messages are in flight is closed until they are deleted or visible again.

`sqs_group` has a row for every group that has messages: when its next message can be received (`ready`).
"""

from __future__ import annotations

from cloudjar.services.sqs.rows import Rows
from cloudjar.services.sqs.standing import COLUMNS, Row


def joined(rows: Rows, queue: int, group: str, id_: int, visible: int) -> None:
    """A message was added at the end of a group."""
    rows.database.execute("INSERT OR IGNORE INTO sqs_group VALUES (?,?,?,?)", (queue, group, visible, id_))


def ready(rows: Rows, queue: int, now: int, limit: int) -> list[str]:
    """The groups that have been open longest."""
    found = rows.database.execute(
        "SELECT grp FROM sqs_group WHERE queue=? AND ready<=? ORDER BY ready, head LIMIT ?", (queue, now, limit)
    )
    return [row[0] for row in found]


def next_ready(rows: Rows, queue: int, now: int) -> int | None:
    """When the next group opens by itself."""
    found: int | None = rows.database.query("SELECT min(ready) FROM sqs_group WHERE queue=? AND ready>?", (queue, now))[
        0
    ][0]
    return found


def members(rows: Rows, queue: int, group: str, limit: int) -> list[Row]:
    """The first messages of a group, in order."""
    found = rows.database.execute(
        f"SELECT {COLUMNS} FROM sqs_message WHERE queue=? AND grp=? ORDER BY id LIMIT ?", (queue, group, limit)
    )
    return [Row(*row) for row in found]


def regroup(rows: Rows, queue: int, group: str, now: int) -> None:
    """Work out anew when a group opens, after one of its messages was received, shown or removed.

    What is in flight was received, and what was received is at the group's beginning: only that is looked at.
    """
    run = rows.database.execute
    head = first = blocked = 0
    for id_, visible, count in run(
        "SELECT id, visible, count FROM sqs_message WHERE queue=? AND grp=? ORDER BY id", (queue, group)
    ):
        if not head:
            head, first = id_, visible
        if not count:
            break
        if visible > now:
            blocked = max(blocked, visible)
    if not head:
        run("DELETE FROM sqs_group WHERE queue=? AND grp=?", (queue, group))
        return
    run("INSERT OR REPLACE INTO sqs_group VALUES (?,?,?,?)", (queue, group, blocked or first, head))


def delayed(rows: Rows, queue: int, delay: int) -> None:
    """A FIFO queue's delay holds for what waits in it, too (milliseconds)."""
    run = rows.database.execute
    run("UPDATE sqs_message SET visible=sent+? WHERE queue=? AND count=0", (delay, queue))
    run(
        "UPDATE sqs_group SET ready=(SELECT visible FROM sqs_message WHERE id=head) WHERE queue=? AND "
        "(SELECT count FROM sqs_message WHERE id=head)=0",
        (queue,),
    )


def flying(rows: Rows, queue: int, now: int) -> int:
    """Groups that have messages in flight."""
    found: int = rows.database.query(
        "SELECT count(DISTINCT grp) FROM sqs_message WHERE queue=? AND lane IN (0, 1) AND visible>? AND count>0",
        (queue, now),
    )[0][0]
    return found
