"""Letters: made of their parts, or read as they were given (RFC 5322).

https://docs.aws.amazon.com/ses/latest/dg/send-email-raw.html
"""

from __future__ import annotations

import email.errors
import email.policy
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Any

import msgspec

from cloudjar.kit.context import Ctx
from cloudjar.kit.mailing import errors

_POLICY = email.policy.SMTP
_MOST = 10 << 20


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent: its envelope and its whole text. `recipients` are bare addresses."""

    source: str
    """As it was given: perhaps with a name."""
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str = ""
    message: Any
    """EmailMessage without Bcc."""
    back: str = ""
    """Who sent it on his way, when not who signs it: he hears of bounces and complaints."""

    @property
    def sender(self) -> str:
        """The bare address of who sends."""
        return address(self.source)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every bare address, once."""
        return tuple(dict.fromkeys(map(address, (*self.to, *self.cc, *self.bcc))))


def address(text: str) -> str:
    """The bare address in ``Name <a@b>``. Raises InvalidParameterValue."""
    found = parseaddr(text)[1]
    local, at, domain = found.rpartition("@")
    if not at or not local or not domain or any(c.isspace() for c in found):
        raise errors.invalid("Missing final '@domain'" if not at else f"Illegal address: {text}")
    return found


def _header(message: EmailMessage, name: str, value: str) -> None:
    if "\r" in value or "\n" in value:
        raise errors.invalid("Control character in display name" if name == "From" else f"Invalid header {name}.")
    try:
        message[name] = value
    except (ValueError, IndexError, email.errors.MessageError):
        raise errors.invalid(f"Invalid header {name}.") from None


def compose(
    ctx: Ctx, source: str, destination: Mapping[str, Any], subject: str, text: str | None, html: str | None, *,
    reply: Sequence[str] = (), headers: Sequence[Mapping[str, str]] = (),
    attachments: Sequence[Mapping[str, Any]] = (),
) -> Letter:  # fmt: skip
    """A letter of its parts. Raises InvalidParameterValue."""
    to, cc, bcc = (tuple(destination.get(f"{name}Addresses") or ()) for name in ("To", "Cc", "Bcc"))
    message = EmailMessage(policy=_POLICY)
    _header(message, "From", source)
    for name, values in (("To", to), ("Cc", cc), ("Reply-To", tuple(reply))):
        if values:
            _header(message, name, ", ".join(values))
    _header(message, "Subject", subject)
    message["Date"] = format_datetime(ctx.now)
    for one in headers:
        _header(message, one["Name"], one["Value"])
    if text is not None or html is None:
        message.set_content(text or "", cte="quoted-printable")
    if html is not None and text is None:
        message.set_content(html, subtype="html", cte="quoted-printable")
    elif html is not None:
        message.add_alternative(html, subtype="html", cte="quoted-printable")
    for one in attachments:
        _attach(message, one)
    return Letter(source=source, to=to, cc=cc, bcc=bcc, subject=subject, message=message)


def _attach(message: EmailMessage, one: Mapping[str, Any]) -> None:
    main, _, sub = (one.get("ContentType") or "application/octet-stream").partition("/")
    message.add_attachment(
        one["RawContent"], maintype=main, subtype=sub or "octet-stream", filename=one["FileName"],
        disposition=(one.get("ContentDisposition") or "ATTACHMENT").lower(), cid=one.get("ContentId"),
    )  # fmt: skip


def parse(data: bytes, source: str = "", recipients: Sequence[str] | None = None, *, back: str = "") -> Letter:
    """A letter as it was given; sender and recipients are its headers' unless told, and `back` gets what comes back.
    Raises InvalidParameterValue."""
    if len(data) > _MOST:
        raise errors.invalid(f"Message length is more than {_MOST} bytes long: '{len(data)}'.")
    message = BytesParser(policy=_POLICY).parsebytes(data)
    if not isinstance(message, EmailMessage):
        raise errors.invalid("The message cannot be read.")
    try:
        sender = source or str(message["From"] or "")
        read = [_addresses(message, name) for name in ("To", "Cc", "Bcc")]
        subject = str(message["Subject"] or "")
    except (ValueError, IndexError, AttributeError, email.errors.MessageError):
        raise errors.invalid("The message's headers cannot be read.") from None
    if not message["From"]:
        raise errors.invalid("Missing required header 'From'.")
    del message["Bcc"]
    to, cc, bcc = (tuple(recipients), (), ()) if recipients else read
    back = address(back) if back else ""
    return Letter(
        source=sender, to=to, cc=cc, bcc=bcc, subject=subject, message=message,
        back="" if back == address(sender) else back,
    )  # fmt: skip


def signers(letter: Letter) -> tuple[str, ...]:
    """The bare addresses in whose name it goes out, whatever its envelope says."""
    named = [found for name in ("From", "Sender") for found in _addresses(letter.message, name)]
    return tuple(dict.fromkeys((letter.sender, *named)))


def _addresses(message: EmailMessage, name: str) -> tuple[str, ...]:
    return tuple(found for _, found in getaddresses([str(one) for one in message.get_all(name, [])]) if found)


def whole(letter: Letter) -> bytes:
    """The message's text, as it goes out; empty when it cannot be written down (its headers hold nonsense)."""
    try:
        return bytes(letter.message.as_bytes())
    except (ValueError, LookupError, AttributeError, TypeError, email.errors.MessageError):
        return b""


def shown(message: EmailMessage) -> str:
    """What a reader sees: the text (or the HTML where there is no text), and the names of what is attached."""
    try:
        body = message.get_body(("plain", "html"))
        text = str(body.get_content()) if body is not None else ""
        attached = [f"[{one.get_filename() or one.get_content_type()}]" for one in message.iter_attachments()]
    except (KeyError, LookupError, ValueError, AttributeError, TypeError):
        payload = message.get_payload(decode=True)
        text, attached = (payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""), []
    return "\n".join((text.replace("\r\n", "\n"), *attached)).rstrip("\n")
