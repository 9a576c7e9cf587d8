"""What SES keeps, whichever of its APIs made it.

https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.kit.record import Record, record


@record("ses", "identity", key="name", arn="identity/{name}")
class Identity(Record, frozen=True, kw_only=True):
    """An address or a domain that letters come from. Whether it is verified: `identities.status`."""

    name: str
    verified: bool = False
    asked: float = 0.0
    """When its owner was asked last, Unix seconds of AWS time."""
    token: str = ""
    """What the link in the letter holds (an address), or what DNS should (a domain)."""
    dkim_tokens: tuple[str, ...] = ()
    dkim: bool = False
    policies: dict[str, str] = {}
    """Name to JSON: who else may send as this identity."""
    forwarding: bool = True
    """Bounces and complaints come back by mail."""
    topics: dict[str, str] = {}
    """Bounce, Complaint, Delivery: the ARN of the topic that is told."""
    with_headers: tuple[str, ...] = ()
    """Notifications (by type) that hold the letter's headers."""
    tags: dict[str, str] = {}


@record("ses", "account-settings", key="id")
class Account(Record, frozen=True, kw_only=True):
    """An account's settings in a Region. It leaves the sandbox a day after it asked to."""

    id: str = "account"
    asked: float = 0.0
    """When production access was asked for; 0: never."""
    details: dict[str, str] = {}
    contacts: tuple[str, ...] = ()
    sending: bool = True
    suppresses: tuple[str, ...] = ("BOUNCE", "COMPLAINT")


@record("ses", "quarter", key="start")
class Quarter(Record, frozen=True, kw_only=True):
    """What was sent in a quarter of an hour that began at `start` (Unix seconds, as text)."""

    start: str
    sent: int = 0
    """Recipients, which is what counts against the daily quota."""
    attempts: int = 0
    bounces: int = 0
    complaints: int = 0
    rejects: int = 0


@record(
    "ses", "template", key="name", arn="template/{name}",
    missing=("TemplateDoesNotExist", "Template {key} does not exist"),
)  # fmt: skip
class Template(Record, frozen=True, kw_only=True):
    """A letter with gaps; "" for a part that it does not have."""

    name: str
    made: float
    subject: str = ""
    text: str = ""
    html: str = ""
    tags: dict[str, str] = {}


@record(
    "ses", "configuration-set", key="name", arn="configuration-set/{name}",
    missing=("ConfigurationSetDoesNotExist", "Configuration set <{key}> does not exist."),
)  # fmt: skip
class ConfigurationSet(Record, frozen=True, kw_only=True):
    """What holds for the letters that name it."""

    name: str
    sending: bool = True
    suppresses: tuple[str, ...] | None = None
    """Reasons, instead of the account's."""
    destinations: dict[str, dict[str, Any]] = {}
    """Who is told of events, by name, in v2's form."""
    tags: dict[str, str] = {}


@record(
    "ses", "suppressed", key="address",
    missing=("NotFoundException", "Email address {key} does not exist on your suppression list.", 404),
)  # fmt: skip
class Suppressed(Record, frozen=True, kw_only=True):
    """An address that is not written to any more."""

    address: str
    reason: str
    """BOUNCE or COMPLAINT."""
    at: float


@record("ses", "told", key="id")
class Told(Record, frozen=True, kw_only=True):
    """Something that a topic or a stream is about to be told."""

    id: str
    target: str
    """ARN of a topic or a delivery stream."""
    body: str
    about: str
    """ARN of the identity or the configuration set that says so."""
    role: str = ""
