"""Addresses and domains that may send: how their owners are asked, and who is asked for them.

https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
https://docs.aws.amazon.com/ses/latest/dg/verify-addresses-and-domains.html
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlencode

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.caller import ANONYMOUS
from cloudjar.kit import mailbox
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.mailing import errors
from cloudjar.kit.mailing.records import Identity

ACTION = "ConfirmEmailIdentity"
_ADDRESS = re.compile(r"[^\s@<>,;:\"]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z][A-Za-z0-9-]{1,62}")
_LINK_HOLDS, _DNS_AWAITED = timedelta(hours=24), timedelta(hours=72)
_SENDER = "no-reply-aws@amazon.com"
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def is_address(name: str) -> bool:
    """Whether an identity is an address; else it is a domain."""
    return "@" in name


def checked(name: str) -> str:
    """The name of an identity as it is kept. Raises InvalidParameterValue."""
    if is_address(name):
        if not _ADDRESS.fullmatch(name):
            raise errors.invalid(f"Invalid email address<{name}>.")
        local, _, domain = name.rpartition("@")
        return f"{local}@{domain.lower()}"
    if not _DOMAIN.fullmatch(name):
        raise errors.invalid(f"Invalid domain name {name}.")
    return name.lower()


def status(ctx: Ctx, held: Identity | None) -> str:
    """Success, Pending, Failed or NotStarted. A link holds a day; a domain's records are looked for three days."""
    if held is None:
        return "NotStarted"
    if held.verified:
        return "Success"
    over = held.asked + (_LINK_HOLDS if is_address(held.name) else _DNS_AWAITED).total_seconds()
    return "Failed" if ctx.now.timestamp() >= over else "Pending"


def dkim_status(ctx: Ctx, held: Identity | None) -> str:
    """The same of a domain's DKIM records, which nobody can publish where the jar looks."""
    if held is None or not held.dkim_tokens:
        return "NotStarted"
    return status(ctx, replace(held, verified=False))


def ask(ctx: Ctx, name: str, tags: dict[str, str] | None = None) -> Identity:
    """Make an identity, or ask its owner again; an address gets a letter with a link. Raises InvalidParameterValue."""
    name = checked(name)
    table = ctx.db[Identity]
    known = table.get(name)
    held = replace(known or Identity(name=name, tags=tags or {}), asked=ctx.now.timestamp())
    if is_address(name):
        held = replace(held, verified=False, token=ids.entropy(32).hex())
        mailbox.deliver(ctx.world, _letter(ctx, held))
    elif not held.token:
        held = replace(held, token=_token())
    return table.add(held) if known is None else table.put(held)


def ask_dkim(ctx: Ctx, name: str) -> Identity:
    """Three tokens for the DKIM records of a domain (v1: of an address' domain too)."""
    held = ctx.db[Identity].get(checked(name)) or ask(ctx, name)
    if held.dkim_tokens:
        return held
    return ctx.db[Identity].put(replace(held, dkim_tokens=tuple(_dkim_token() for _ in range(3)), dkim=True))


def drop(ctx: Ctx, name: str) -> bool:
    """Forget an identity; whether there was one."""
    held = ctx.db[Identity].get(name)
    if held is not None:
        ctx.db[Identity].drop(held)
    return held is not None


def _token() -> str:
    return ids.token(44)


def _dkim_token() -> str:
    return "".join(_LETTERS[byte % 32] for byte in ids.entropy(32))


def _letter(ctx: Ctx, held: Identity) -> mailbox.Mail:
    asked = {"Action": ACTION, "Account": ctx.account, "Region": ctx.region, "Identity": held.name, "Token": held.token}
    link = f"{_base(ctx)}/?{urlencode(asked)}"
    text = (
        "Dear Amazon Web Services Customer,\n\n"
        f"the account {ctx.account} asks to send mail from {held.name} by Amazon SES in {ctx.region}. "
        f"If that is right, follow this link within 24 hours:\n\n{link}\n\nIf not, do nothing.\n"
    )
    subject = f"Amazon Web Services – Email Address Verification Request in region {ctx.region}"
    return mailbox.Mail(ctx.account, ctx.region, "email", _SENDER, held.name, subject, text, link)


def _base(ctx: Ctx) -> str:
    request = ctx.request
    host = request.headers.get("host", "") if request is not None else ""
    if not host:
        return f"https://email-verification.{ctx.region}.amazonaws.com"
    return f"{'https' if request is not None and request.secure else 'http'}://{host}"


def confirm(world: World, asked: dict[str, str]) -> bool:
    """Somebody has followed a link, in the running transaction; False when it holds no more."""
    ctx = Ctx(world, asked.get("Account", ""), asked.get("Region", ""), ANONYMOUS)
    held = ctx.db[Identity].get(asked.get("Identity", ""))
    if held is None or not held.token or held.token != asked.get("Token"):
        return False
    if status(ctx, held) == "Failed":
        return False
    ctx.db[Identity].put(replace(held, verified=True))
    return True


def of_sender(ctx: Ctx, address: str) -> Identity | None:
    """The identity that stands for a sender: its address, else its domain or one above."""
    local, _, domain = address.rpartition("@")
    table = ctx.db[Identity]
    whole = table.get(f"{local}@{domain.lower()}")
    if whole is not None and whole.verified:
        return whole
    labels = domain.lower().split(".")
    for n in range(len(labels) - 1):
        found = table.get(".".join(labels[n:]))
        if found is not None and found.verified:
            return found
    return whole


def verified(ctx: Ctx, address: str) -> bool:
    """Whether an address may be sent from (and to, in the sandbox). What stands behind a `+` does not count."""
    local, _, domain = address.rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    return any(found is not None and found.verified for found in (of_sender(ctx, address), of_sender(ctx, plain)))


def policy(held: Identity) -> str:
    """All policies of an identity as one document; empty when it has none."""
    statements = []
    for text in held.policies.values():
        found = json.loads(text)["Statement"]
        statements += found if isinstance(found, list) else [found]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else ""
