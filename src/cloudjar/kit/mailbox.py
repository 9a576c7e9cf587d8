"""The mailbox of the jar: what AWS would send to people lands here. `cloudjar mail` shows it. Where the jar has a mail
relay, e-mail is also kept in `kit.outgoing_mail`, in the same transaction, until the relay has taken it."""

from __future__ import annotations

from typing import NamedTuple

from cloudjar.kit import outgoing_mail
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
    """A letter in the mailbox, and when (Unix seconds of AWS time) it came. `relay` says what the mail relay made of
    it: empty where there was none, else ``waiting``, ``sent`` or ``refused``, and why."""

    id: int
    at: float
    mail: Mail
    relay: str = ""


def _ready(world: World) -> None:
    if _PORT not in world.ports:
        world.state.database.query(_SCHEMA)
        outgoing_mail.ready(world.state.database)
        world.ports[_PORT] = True
        world.state.database.undone(lambda: world.ports.pop(_PORT, None))


def goes_out(world: World) -> bool:
    """Whether there is a mail relay."""
    return bool(world.settings.get("mail_relay"))


def deliver(world: World, mail: Mail, message: bytes = b"") -> None:
    """Put a letter into the mailbox, in the running transaction. `message` is the whole of it (RFC 5322), when there is
    more to it than `mail` tells."""
    _ready(world)
    run, now = world.state.database.execute, world.clock.now()
    made = run("INSERT INTO mail VALUES (NULL,?,?,?,?,?,?,?,?,?)", (now.timestamp(), *mail)).lastrowid or 0
    run("DELETE FROM mail WHERE id<=?", (made - KEPT,))
    if mail.kind == "email" and goes_out(world):
        text = message or outgoing_mail.composed(mail.sender, mail.recipient, mail.subject, mail.body, now)
        outgoing_mail.keep(world, made, mail.sender, mail.recipient, text, before=made - KEPT)


def letters(world: World, *, recipient: str = "", limit: int = 100) -> list[Kept]:
    """The newest letters, the newest first."""
    _ready(world)
    rows = world.state.database.query(
        "SELECT id, at, account, region, kind, sender, recipient, subject, body, link FROM mail "
        "WHERE ?='' OR recipient=? ORDER BY id DESC LIMIT ?",
        (recipient, recipient, limit),
    )
    fates = outgoing_mail.fates(world.state.database, [row[0] for row in rows])
    return [Kept(row[0], row[1], Mail(*row[2:]), fates.get(row[0], "")) for row in rows]
