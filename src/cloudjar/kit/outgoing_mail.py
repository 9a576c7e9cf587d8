"""E-mail on its way to the mail relay: kept until the relay has taken it, or will not have it.

Whoever sends reads what is due and writes down what became of it. A letter that was taken just before the jar died is
sent again, with the same Message-ID: rather twice than never. Times are the machine's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import NamedTuple

from cloudjar.base import ids
from cloudjar.kit.context import World
from cloudjar.store.database import Database

PORT = "mail relay"
"""Who is told that there is something to send."""
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS mail_out (id INTEGER PRIMARY KEY, sender TEXT, recipient TEXT, message BLOB, "
    "state TEXT, tries INTEGER, since REAL, due REAL, why TEXT)"
)
_DUE = "CREATE INDEX IF NOT EXISTS mail_out_due ON mail_out (due) WHERE state='waiting'"
PATIENCE = 4 * 86400.0
"""Seconds after which a letter that is put off again and again is given up."""
LONGEST = 300.0
"""Seconds between two attempts, at most."""


class Outgoing(NamedTuple):
    """A letter that waits: bare addresses, the whole message, how often it was tried and since when."""

    id: int
    sender: str
    recipient: str
    message: bytes
    tries: int
    since: float


def ready(database: Database) -> None:
    """Have the table there."""
    database.query(_SCHEMA)
    database.query(_DUE)


def composed(sender: str, recipient: str, subject: str, body: str, now: datetime) -> bytes:
    """A letter of plain text, with an id that stays its own."""
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(_line(sender))
    message["From"] = formataddr((name, address)) if name else address
    try:
        message["To"] = _line(recipient)
    except (ValueError, IndexError, MessageError):
        message["To"] = "undisclosed-recipients:;"
    message["Subject"] = _line(subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{ids.uuid4()}@cloudjar.invalid>"
    message.set_content(body)
    return message.as_bytes()


def _line(text: str) -> str:
    return " ".join(text.split())


def keep(world: World, number: int, sender: str, recipient: str, message: bytes, *, before: int) -> None:
    """Have letter `number` sent, in the running transaction; what became of letters up to `before` is forgotten."""
    database, now = world.state.database, world.clock.real().timestamp()
    row = (number, parseaddr(sender)[1], parseaddr(recipient)[1], message, now, now)
    database.execute("INSERT INTO mail_out VALUES (?,?,?,?,'waiting',0,?,?,'')", row)
    database.execute("DELETE FROM mail_out WHERE id<=? AND state!='waiting'", (before,))
    told: Callable[[], None] | None = world.ports.get(PORT)
    if told is not None:
        database.on_commit(told)


def due(database: Database, now: float, limit: int = 20) -> list[Outgoing]:
    """Letters whose turn it is, the oldest first."""
    rows = database.query(
        "SELECT id, sender, recipient, message, tries, since FROM mail_out WHERE state='waiting' AND due<=? "
        "ORDER BY due, id LIMIT ?",
        (now, limit),
    )
    return [Outgoing(*row) for row in rows]


def next_due(database: Database) -> float | None:
    """When there is something to send next; None when nothing waits."""
    ((at,),) = database.query("SELECT min(due) FROM mail_out WHERE state='waiting'")
    return None if at is None else float(at)


def sent(database: Database, letter: Outgoing) -> None:
    """The relay has it."""
    _set(database, "UPDATE mail_out SET state='sent', message=NULL, why='' WHERE id=?", letter.id)


def refused(database: Database, letter: Outgoing, why: str) -> None:
    """The relay will not have it."""
    _set(database, "UPDATE mail_out SET state='refused', message=NULL, why=? WHERE id=?", why, letter.id)


def put_off(database: Database, letter: Outgoing, why: str, now: float) -> None:
    """The relay may have it another time; after four days it is given up."""
    if now - letter.since > PATIENCE:
        refused(database, letter, f"given up: {why}")
        return
    wait = min(2.0 ** min(letter.tries, 30), LONGEST)
    changed = "UPDATE mail_out SET tries=tries+1, due=?, why=? WHERE id=?"
    _set(database, changed, now + wait, why, letter.id)


def _set(database: Database, sql: str, *args: object) -> None:
    with database.transaction():
        database.execute(sql, args)


def fates(database: Database, numbers: Sequence[int]) -> dict[int, str]:
    """What became of letters that were to be sent: ``waiting``, ``sent``, ``refused``, and why."""
    if not numbers:
        return {}
    rows = database.query(
        "SELECT id, state, why FROM mail_out WHERE id BETWEEN ? AND ?", (min(numbers), max(numbers))
    )
    return {number: f"{state}: {why}" if why else state for number, state, why in rows}
