"""The admin API under ``/_cloudjar/``: what the command line and tests ask that is not AWS.

Health is for everyone. The rest needs the token that lies in the data directory, so only who may read that
directory may ask, and no web page in a browser can.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec

from cloudjar import __version__
from cloudjar.auth.root_keys import RootKeys
from cloudjar.base import ids
from cloudjar.base.clock import Clock
from cloudjar.base.errors import AwsError
from cloudjar.gateway import accounts, advising, bills, why
from cloudjar.kit import certificates, faults, incidents, increases, mailbox, quantities
from cloudjar.kit.audit import Audit
from cloudjar.kit.context import World
from cloudjar.kit.events import Events
from cloudjar.kit.operation import Services
from cloudjar.kit.quantities import Quantities
from cloudjar.kit.usage import Usage
from cloudjar.kit.wakes import Runner
from cloudjar.wire.message import Request, Response

log = logging.getLogger("cloudjar.admin")

TOKEN_HEADER = "x-cloudjar-token"


class Running(Protocol):
    """What the admin API asks of a running jar."""

    world: World
    clock: Clock
    audit: Audit
    events: Events
    usage: Usage
    quantities: Quantities
    services: Services
    runner: Runner
    root_keys: RootKeys

    @property
    def description(self) -> dict[str, Any]:
        """Settings and planes, for people."""
        ...

    def run_blocking(self, work: Callable[[], Any]) -> Awaitable[Any]:
        """Run outside the event loop."""
        ...


class Query(dict[str, str]):
    """The parameters of a question; one that is missing refuses it."""

    def __missing__(self, name: str) -> str:
        raise ValueError(f"the parameter {name} is missing")


Answer = dict[str, Any] | Awaitable[dict[str, Any]]


class Admin:
    """Routes ``/_cloudjar/NAME`` to a method; answers JSON."""

    def __init__(self, jar: Running, token_file: Path) -> None:
        self._jar = jar
        self._token = _token(token_file)
        self._routes: dict[tuple[str, str], Callable[[Query], Answer]] = {
            ("GET", "status"): self.status,
            ("GET", "events"): self.list_events,
            ("GET", "why"): self.why,
            ("GET", "usage"): self.spans,
            ("GET", "requests"): self.requests,
            ("GET", "quantities"): self.counted,
            ("GET", "bill"): lambda query: jar.run_blocking(lambda: bills.lines(jar.world, query)),
            ("GET", "invoices"): lambda query: jar.run_blocking(lambda: bills.invoices(jar.world, query)),
            ("GET", "bill-ahead"): lambda query: jar.run_blocking(lambda: bills.ahead(jar.world, query)),
            ("GET", "records"): self.records,
            ("GET", "calls"): self.calls,
            ("GET", "clock"): self.clock,
            ("POST", "clock"): self.advance,
            ("POST", "clock-speed"): self.set_speed,
            ("GET", "accounts"): lambda query: accounts.list_accounts(jar, query),
            ("POST", "accounts"): lambda query: accounts.open_account(jar, query),
            ("POST", "accounts-upgrade"): lambda query: accounts.upgrade_account(jar, query),
            ("POST", "certificate-proofs"): self.prove,
            ("GET", "faults"): lambda _: {"faults": faults.breaker(jar.world).all(jar.world)},
            ("POST", "faults"): self.begin_fault,
            ("POST", "faults-end"): lambda query: faults.breaker(jar.world).end(jar.world, query["id"]),
            ("GET", "consistency"): self.consistency,
            ("GET", "mail"): self.mail,
            ("POST", "interrupt-spot"): self.interrupt_spot,
            ("POST", "schedule-event"): self.schedule_event,
            ("POST", "consistency"): self.settle_after,
            ("GET", "quota-requests"): lambda _: {"requests": increases.waiting(jar.world)},
            ("POST", "quota-requests"): lambda query: increases.decide(
                jar.world, query["id"], grant=query["grant"] == "1"
            ),
            ("GET", "advice"): lambda query: jar.run_blocking(lambda: advising.report(jar.world, query)),
        }

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        name = request.path.rsplit("/", 1)[1]
        if name == "health":
            return _json(200, self.health())
        if name == "info" and request.path.startswith("/_localstack/"):
            return _json(200, {"version": __version__, "edition": "cloudjar"})
        handler = self._routes.get((request.method, name)) if request.path.startswith("/_cloudjar/") else None
        if handler is None:
            return _json(404, {"error": f"there is no {request.method} {request.path}"})
        if not self.may(request):
            return _json(403, {"error": "the admin token is missing or wrong; it lies in the data directory"})
        return self._answer(handler, Query((k, v[-1]) for k, v in parse_qs(request.query).items()))

    def may(self, request: Request) -> bool:
        """Whether who asks has the token, and asks from this host."""
        given = request.headers.get(TOKEN_HEADER, "").encode("latin-1")
        return request.trusted and hmac.compare_digest(given, self._token.encode())

    def _answer(self, handler: Callable[[Query], Answer], query: Query) -> Response | Awaitable[Response]:
        try:
            answer = handler(query)
        except (ValueError, OverflowError, AwsError) as error:
            return _json(400, {"error": str(error)})
        return _json(200, answer) if isinstance(answer, dict) else _later(answer)

    def health(self) -> dict[str, Any]:
        """In LocalStack's form, so that tools which wait for it need not know us."""
        return {"services": dict.fromkeys(self._jar.services.names, "available"), "version": __version__}

    def status(self, query: Query) -> dict[str, Any]:
        """The jar, its clock and how many records of each kind it holds."""
        state = self._jar.world.state
        counts = {
            name: state.database.query(f'SELECT count(*) FROM "{name}"')[0][0] for name in sorted(state.tables.names())
        }
        return {
            **self._jar.description,
            **self.clock(query),
            "records": {name: count for name, count in counts.items() if count},
        }

    def list_events(self, query: Query) -> dict[str, Any]:
        """State changes after a sequence number."""
        found = self._jar.events.since(int(query.get("since", "0")))
        return {"events": [event._asdict() for event in found]}

    def why(self, query: Query) -> Answer:
        """How the authorisation of a call came out: of one by its `request` id, or with ``last=1`` of the newest
        that was refused."""
        if query.get("last"):
            return self._jar.run_blocking(self._why_last)
        event = self._jar.audit.by_request(query["request"])
        if event is None:
            raise ValueError("no call has this request id; it is in the answer's x-amzn-RequestId header")
        return why.explained(event)

    def _why_last(self) -> dict[str, Any]:
        self._jar.audit.ingest()
        accounts = self._jar.world.state.database.query("SELECT DISTINCT account FROM audit")
        event = why.newest_refusal(self._jar.audit, [account for (account,) in accounts])
        if event is None:
            raise ValueError("no call was refused for want of permission yet")
        return why.explained(event)

    def spans(self, query: Query) -> dict[str, Any]:
        """Usage spans that overlap [start, end); seconds since the epoch of AWS time."""
        from datetime import UTC, datetime

        start = datetime.fromtimestamp(float(query["start"]), UTC)
        end = datetime.fromtimestamp(float(query["end"]), UTC)
        return {
            "spans": [
                {
                    "account": span.account,
                    "region": span.region,
                    "resource": span.resource,
                    **span.meter._asdict(),
                    "start": span.start,
                    "end": span.end,
                }
                for span in self._jar.usage.spans(start, end, query.get("account"))
            ]
        }

    def requests(self, query: Query) -> dict[str, Any]:
        """How many calls were made in the hours that overlap [start, end), by account, region and operation."""
        found = self._jar.audit.requests(float(query["start"]), float(query["end"]))
        names = ("account", "region", "service", "operation", "calls")
        return {"requests": [dict(zip(names, row, strict=True)) for row in found]}

    async def counted(self, query: Query) -> dict[str, Any]:
        """What was counted in the hours that overlap [start, end), by resource; counters are read first."""
        from datetime import UTC, datetime

        start, end = (datetime.fromtimestamp(float(query[name]), UTC) for name in ("start", "end"))
        await self._jar.run_blocking(lambda: quantities.collect(self._jar.world))
        found = self._jar.quantities.rows(start, end, query.get("account"))
        return {
            "quantities": [
                {**one.owner._asdict(), **one.tally._asdict(), "hour": one.hour, "amount": one.amount} for one in found
            ]
        }

    def records(self, query: Query) -> dict[str, Any]:
        """Where the records of a kind (``ec2/instance``) are: account, region and key of each."""
        state = self._jar.world.state
        kind = query.get("kind", "")
        if kind not in state.tables.names():
            return {"records": []}
        rows = state.database.query(f'SELECT account, region, key FROM "{kind}" ORDER BY 1, 2, 3')
        return {"records": [{"account": a, "region": r, "key": k} for a, r, k in rows]}

    def calls(self, query: Query) -> dict[str, Any]:
        """The newest audit events of an account, in every region."""
        account = query.get("account") or self._jar.description["account"]
        found = self._jar.audit.find(account, "", 0.0, 1e12, lambda _: True, int(query.get("limit", "50")))
        return {
            "calls": [
                {f: getattr(e, f) for f in e.__struct_fields__ if f not in ("params", "answer", "decision")}
                for e in found
            ]
        }

    def clock(self, _: Query) -> dict[str, Any]:
        """AWS time, and how fast it passes (0: it is frozen)."""
        return {"now": self._jar.clock.now().isoformat(), "speed": self._jar.clock.speed}

    def set_speed(self, query: Query) -> Answer:
        """Let AWS time pass ``speed`` times as fast as the machine's; 0 freezes it."""
        speed = float(query["speed"])

        def work() -> dict[str, Any]:
            self._jar.runner.run_at(speed)
            return self.clock(query)

        return self._jar.run_blocking(work)

    def prove(self, query: Query) -> dict[str, Any]:
        """Take somebody's word that the ``domain`` (or every one) of the certificate ``arn`` is its asker's."""
        return {"open": certificates.prove(self._jar.world, query["arn"], query.get("domain", ""))}

    def begin_fault(self, query: Query) -> dict[str, Any]:
        """Break the ``target`` of a ``kind`` for ``seconds`` of AWS time, or until it is ended when 0."""
        seconds = float(query.get("seconds", "0"))
        if not 0 <= seconds <= 366 * 86400:
            raise ValueError("seconds must be between 0 and a year")
        world = self._jar.world
        return faults.breaker(world).begin(world, query["kind"], query["target"], seconds)

    def interrupt_spot(self, query: Query) -> dict[str, Any]:
        """Have the spot ``instance`` interrupted after ``seconds`` of AWS time."""
        world = self._jar.world
        return incidents.incidents(world).interrupt(world, query["instance"], float(query["seconds"]))

    def mail(self, query: Query) -> dict[str, Any]:
        """The newest letters of the mailbox, of one recipient (``to``) or of all."""
        found = mailbox.letters(self._jar.world, recipient=query.get("to", ""), limit=int(query.get("limit", "100")))
        return {"letters": [{"id": one.id, "at": one.at, "relay": one.relay, **one.mail._asdict()} for one in found]}

    def schedule_event(self, query: Query) -> dict[str, Any]:
        """Schedule an event (a ``code``) for an ``instance``, after ``seconds`` of AWS time."""
        seconds, world = float(query["seconds"]), self._jar.world
        if not 0 <= seconds <= 366 * 86400:
            raise ValueError("seconds must be between 0 and a year")
        return incidents.incidents(world).schedule(world, query["instance"], query["code"], seconds)

    def consistency(self, _: Query) -> dict[str, Any]:
        """By service: the seconds of AWS time after which readers see a write."""
        return {name: s.delay.total_seconds() for name, s in self._jar.world.state.settling.items()}

    def settle_after(self, query: Query) -> dict[str, Any]:
        """Have IAM's writes settle after ``seconds`` from now on."""
        self._jar.world.state.settling["iam"].switch(float(query["seconds"]))
        return self.consistency(query)

    def advance(self, query: Query) -> Answer:
        """Move AWS time forward by ``seconds``; every due alarm runs at its own instant."""
        seconds = float(query["seconds"])
        if not 0 <= seconds <= 100 * 366 * 86400:
            raise ValueError("seconds must be between 0 and a century")

        def work() -> dict[str, Any]:
            self._jar.runner.advance(timedelta(seconds=seconds))
            return self.clock(query)

        return self._jar.run_blocking(work)


async def _later(answer: Awaitable[dict[str, Any]]) -> Response:
    try:
        return _json(200, await answer)
    except (ValueError, OverflowError) as error:
        return _json(400, {"error": str(error)})


def _json(status: int, value: dict[str, Any]) -> Response:
    return Response(status, [("Content-Type", "application/json")], msgspec.json.encode(value))


def _token(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        token = ids.token()
        path.touch(mode=0o600)
        path.write_text(token)
        return token
