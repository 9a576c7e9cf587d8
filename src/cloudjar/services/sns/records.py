"""What SNS keeps, but for messages on their way (`outbox`).

https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
"""

from __future__ import annotations

from cloudjar.kit.record import Record, record
from cloudjar.services.sns import errors

ATTRIBUTES, BODY = "MessageAttributes", "MessageBody"


@record("sns", "topic", key="name", arn="{name}", missing=errors.NO_TOPIC)
class Topic(Record, frozen=True, kw_only=True):
    """A topic. `settings` are the attributes that were set, as they were given."""

    name: str
    number: int
    """Its own in `outbox`."""
    fifo: bool = False
    content_dedup: bool = False
    policy: str = ""
    settings: dict[str, str] = {}
    signature: str = "1"
    base: str = ""
    """How the jar was reached when the topic was made: links in messages begin so."""
    deleted_subscriptions: int = 0
    tags: dict[str, str] = {}


@record("sns", "subscription", key="id", index=("topic", "caller"), arn="{topic}:{id}", missing=errors.NO_SUBSCRIPTION)
class Subscription(Record, frozen=True, kw_only=True):
    """A subscription; in its topic's account and region. `topic` is the topic's name."""

    id: str
    topic: str
    protocol: str
    endpoint: str
    caller: str
    """The account that subscribed: its owner."""
    confirmed: bool = False
    token: str = ""
    """What confirms it, while it waits for that."""
    asked: float = 0.0
    protected: bool = False
    """Only its owner may end it, with a signature."""
    raw: bool = False
    filter_policy: str = ""
    filter_scope: str = ATTRIBUTES
    redrive: str = ""
    dead_letters: str = ""
    """ARN of the queue for what cannot be delivered."""
    delivery_policy: str = ""
    base: str = ""

    @property
    def arn(self) -> str:
        """The subscription's ARN."""
        return f"arn:aws:sns:{self.region}:{self.account}:{self.topic}:{self.id}"


@record("sns", "signing-key", key="id")
class SigningKey(Record, frozen=True, kw_only=True):
    """What messages are signed with; one for the jar. `key` is sealed; `certificate` is PEM."""

    id: str
    key: bytes
    certificate: str
    serial: str


@record("sns", "sms-settings", key="id")
class SmsSettings(Record, frozen=True, kw_only=True):
    """What an account has set for texts in a Region."""

    id: str
    values: dict[str, str] = {}


@record("sns", "opted-out", key="number")
class OptedOut(Record, frozen=True, kw_only=True):
    """A telephone whose owner wants no texts."""

    number: str


@record("sns", "opted-in", key="number")
class OptedIn(Record, frozen=True, kw_only=True):
    """When a number was opted in last: it can be once in thirty days."""

    number: str
    at: float


@record("sns", "sandbox-number", key="number", missing=("ResourceNotFound", "Resource not found", 404))
class SandboxNumber(Record, frozen=True, kw_only=True):
    """A telephone that may be written to from the sandbox, once the password that it was sent is known."""

    number: str
    created: float
    password: str
    sent: float
    verified: bool = False
