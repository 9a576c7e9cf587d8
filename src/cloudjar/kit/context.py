"""What a handler holds: who asks, where, when, and the stored world in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.base.clock import Clock
from cloudjar.kit.db import Db, State
from cloudjar.kit.events import Events
from cloudjar.kit.faults import Faults
from cloudjar.kit.record import Record, arn_of, by_noun, meta
from cloudjar.kit.waiting import Waits
from cloudjar.store.sealer import Sealer

if TYPE_CHECKING:
    from cloudjar.wire.message import Request

R = TypeVar("R", bound=Record)


class Invoke(Protocol):
    """Calls an operation through the same pipeline; raises the `AwsError` that it answers."""

    def __call__(
        self, service: str, operation: str, params: Mapping[str, Any], caller: Caller, region: str
    ) -> dict[str, Any]: ...


class World:
    """What outlives a request: state, clock, events, secrets; one per running jar."""

    def __init__(self, state: State, clock: Clock, events: Events, sealer: Sealer, settings: Mapping[str, Any]) -> None:
        self.state = state
        self.clock = clock
        self.events = events
        events.world = self
        self.sealer = sealer
        self.settings = settings
        self.invoke: Invoke | None = None
        self.load: Callable[[str], bool] = lambda _: False
        """Imports a service's package, so that its records can be read; False when the product has none."""
        self.laid_out: dict[str, int] = {}
        """What a plane was last brought to, by key: the records' version (`WakeTable.version`) it was made from."""
        self.ports: dict[str, Any] = {}
        """What another room lends: ``identity``, ``audit``, ... by name; set by the composition root."""
        self.faults = Faults()
        """What is broken on purpose just now."""
        self.waits = Waits()
        """Answers that are held back until something happens."""
        self.waits.pace = lambda: clock.speed
        self.at_stop: list[Callable[[], None]] = []
        """Called at a clean stop, before the store is closed: whoever remembers more than he has stored."""
        self.at_move: list[Callable[[], None]] = []
        """Called before AWS time is moved on: whoever remembers what is dated when it is stored."""
        self.at_minute: list[Callable[[], None]] = []
        """Called each minute of the host's while machines run, on a thread of the host's."""

    def about_to_move(self) -> None:
        """AWS time is about to be moved on."""
        for store in self.at_move:
            store()


class Assumed(NamedTuple):
    """Credentials that a service was given for a role."""

    caller: Caller
    access_key_id: str
    secret: str
    token: str
    expires: datetime


class Ctx:
    """One request (or one reconciler step) in an account and region."""

    __slots__ = (
        "account", "again", "caller", "db", "fetched", "final", "noted", "now", "region", "request", "request_id",
        "world",
    )  # fmt: skip

    def __init__(
        self,
        world: World,
        account: str,
        region: str,
        caller: Caller,
        request_id: str = "",
        request: Request | None = None,
    ) -> None:
        self.world = world
        self.account = account
        self.region = region
        self.caller = caller
        self.request_id = request_id
        self.request = request
        self.now: datetime = world.clock.now()
        self.db = Db(world.state, account, region)
        self.fetched: Any = None
        """What an operation's `prepare` brought."""
        self.noted: dict[str, Any] | None = None
        """What `note` was told."""
        self.again = False
        """It was asked before, and its answer was held back (`kit.waiting.Held`)."""
        self.final = False
        """Its answer was held back (`kit.waiting.Held`) as long as it may be."""

    def new_id(self, prefix: str) -> str:
        """A fresh EC2-style id."""
        return ids.resource_id(prefix)

    def arn(self, item: Record) -> str:
        """The ARN of a record."""
        return arn_of(item)

    def at(self, account: str, region: str) -> Ctx:
        """The same request seen from another account or region."""
        return Ctx(self.world, account, region, self.caller, self.request_id, self.request)

    def prepared(self, fetched: Any, caller: Caller | None = None) -> Ctx:
        """The same request with what was fetched for it; asked by `caller`, when only that says who is asking."""
        who = caller or self.caller
        ctx = Ctx(
            self.world, who.account if caller else self.account, self.region, who, self.request_id, self.request
        )
        ctx.fetched = fetched
        return ctx

    def emit(self, source: str, detail_type: str, detail: dict[str, Any], resources: tuple[str, ...] = ()) -> None:
        """Append an event in this transaction."""
        self.world.events.emit(self.account, self.region, source, detail_type, detail, resources)

    def note(
        self,
        *,
        account: str = "",
        identity: dict[str, Any] | None = None,
        additional: dict[str, Any] | None = None,
    ) -> None:
        """Tell the audit of this call what it cannot see by itself.

        `account` is whose trail it belongs to and `identity` the ``userIdentity``, where the caller has no credentials
        (``AssumeRoleWithWebIdentity``, ``AssumeRoleWithSAML``); `additional` is ``additionalEventData``.
        """
        noted = self.noted if self.noted is not None else {}
        given = {"account": account, "identity": identity, "additional": additional}
        self.noted = {**noted, **{name: value for name, value in given.items() if value}}

    def service_event(
        self, service: str, name: str, *, resources: tuple[str, ...] = (), details: dict[str, Any] | None = None
    ) -> None:
        """Record what a service did here by itself, without a call (`kit.audit.Audit.service_event`)."""
        self.world.ports["audit"].service_event(
            self.account, self.region, self.now.timestamp(), service, name, resources=resources, details=details
        )

    def wake(self, item: Record, *, purpose: str = "", at: datetime | None = None) -> None:
        """Have a record's reconciler look at it, now or at an instant of AWS time."""
        declared = meta(type(item))
        self.world.state.wakes.wake(
            declared.spec.name, item.account, item.region, declared.key_of(item), purpose=purpose, due=at
        )

    def call(
        self, service: str, operation: str, params: Mapping[str, Any], *, caller: Caller | None = None, via: str = ""
    ) -> dict[str, Any]:
        """Call another service as the given principal (default: the caller), with IAM, audit and usage.

        `via` is the calling service's principal (``secretsmanager.amazonaws.com``) when it passes its caller's
        session on: ``aws:CalledVia`` and ``kms:ViaService`` then say so.
        """
        if self.world.invoke is None:
            raise RuntimeError("this world has no pipeline")
        who = caller or self.caller
        if via:
            who = replace(who, called_via=(*who.called_via, via))
        return self.world.invoke(service, operation, params, who, self.region)

    def assume(
        self,
        role_arn: str,
        *,
        service: str,
        source_arn: str = "",
        session_name: str,
        seconds: int = 3600,
        keys: Mapping[str, str] | None = None,
        external_id: str = "",
    ) -> Assumed:
        """Credentials of a service role, for the service that it was passed to.

        `service` (``lambda.amazonaws.com``) assumes the role through STS like anybody: the role's trust policy must
        name it, and may ask for the resource on whose behalf it acts (`source_arn`: ``aws:SourceArn``, with it
        ``aws:SourceAccount``). `keys` are condition keys that hold for every call of the session, `external_id` is what
        the trust policy may know as ``sts:ExternalId``. Raises the `AwsError` AccessDenied when the role does not
        trust, or is not there.
        """
        who = callers.service(service, self.account, source_arn)
        if keys:
            who = replace(who, session_keys=dict(keys))
        asked: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": session_name, "DurationSeconds": seconds}
        if external_id:
            asked["ExternalId"] = external_id
        issued = self.call("sts", "AssumeRole", asked, caller=who)["Credentials"]
        session = self.world.ports["sessions"].open(issued["SessionToken"])
        return Assumed(
            session.caller,
            issued["AccessKeyId"],
            issued["SecretAccessKey"],
            issued["SessionToken"],
            issued["Expiration"],
        )

    def as_role(
        self,
        role_arn: str,
        *,
        service: str,
        source_arn: str = "",
        session_name: str,
        keys: Mapping[str, str] | None = None,
    ) -> Caller:
        """The session of a service role as a caller for `call` (see `assume`): what a service does with a role that it
        was given, it does under that role's policies."""
        return self.assume(
            role_arn, service=service, source_arn=source_arn, session_name=session_name, keys=keys
        ).caller

    def limit(self, service: str, code: str) -> float | None:
        """The quota in force here."""
        return self.world.state.quotas.limit(self.account, self.region, (service, code))

    def find(self, service: str, noun: str, key: str) -> Record | None:
        """A record by its IAM resource type, whoever's service it is; of services that settle, what has settled."""
        self.world.load(service)
        declared = by_noun(service, noun)
        if declared is None:
            return None
        return Db(self.world.state, self.account, self.region, settled=True)[declared.type].get(key)
