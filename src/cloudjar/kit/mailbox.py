"""The mailbox of the jar: what AWS would send to people lands here, and nowhere else. `cloudjar mail` shows it."""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.kit.context import World

_PORT = "mailbox"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS mail (id INTEGER PRIMARY KEY, at REAL, account TEXT, region TEXT, kind TEXT, "
    "sender TEXT, recipient TEXT, subject TEXT, body TEXT, link TEXT)"
)
KEPT = 10_000
"""Letters; older ones are thrown away."""


class Mail(NamedTuple):
    """A letter: `kind` is email or sms, `link` what its reader is asked to follow, if anything."""

    account: str
    region: str
    kind: str
    sender: str
    recipient: str
    subject: str
    body: str
    link: str = ""


class Kept(NamedTuple):
    """A letter in the mailbox, and when (Unix seconds of AWS time) it came."""

    id: int
    at: float
    mail: Mail


def _ready(world: World) -> None:
    if _PORT not in world.ports:
        world.state.database.query(_SCHEMA)
        world.ports[_PORT] = True
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))


def deliver(world: World, mail: Mail) -> None:
    """Put a letter into the mailbox, in the running transaction."""
    _ready(world)
    run = world.state.database.execute
    made = run("INSERT INTO mail VALUES (NULL,?,?,?,?,?,?,?,?,?)", (world.clock.now().timestamp(), *mail)).lastrowid
    run("DELETE FROM mail WHERE id<=?", ((made or 0) - KEPT,))


def letters(world: World, *, recipient: str = "", limit: int = 100) -> list[Kept]:
    """The newest letters, the newest first."""
    _ready(world)
    rows = world.state.database.query(
        "SELECT id, at, account, region, kind, sender, recipient, subject, body, link FROM mail "
        "WHERE ?='' OR recipient=? ORDER BY id DESC LIMIT ?",
        (recipient, recipient, limit),
    )
    return [Kept(row[0], row[1], Mail(*row[2:])) for row in rows]
