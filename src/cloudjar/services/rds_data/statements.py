"""Statements on their way through an engine. Everything here blocks, and is in no transaction of the store."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from cloudjar.base.clock import monotonic
from cloudjar.base.errors import PlaneError
from cloudjar.kit.context import Ctx
from cloudjar.planes.database.postgres_wire import Said, Value
from cloudjar.planes.database.sessions import Answer, Late, Login, Session
from cloudjar.services.rds_data import coming_in, errors, metadata, naming, results, transactions, values

SECONDS = 45.0
"""How long a call may take."""


class Call:
    """One call: what it may still take of its time, in whose session."""

    def __init__(self, session: Session, until: float) -> None:
        self.session, self._until = session, until

    def ask(self, sql: str, given: list[Value] | None = None, *, most: int = 0, goes_on: bool = False) -> Answer:
        """A statement."""
        left = max(self._until - monotonic(), 0.001)
        return self.session.ask(sql, given or (), seconds=left, most=most, goes_on=goes_on)


@contextlib.contextmanager
def worded(process: int = 0) -> Iterator[None]:
    """What fails is said as the API says it."""
    try:
        yield
    except Said as refused:
        raise errors.said(refused) from refused
    except Late as late:
        raise errors.late(process) from late
    except PlaneError as gone:
        raise errors.no_writer() from gone


def _opened(ctx: Ctx, login: Login, until: float) -> Session:
    with worded():
        return coming_in.port(ctx.world).open(login, max(until - monotonic(), 0.001))


@contextlib.contextmanager
def call(ctx: Ctx, req: dict[str, Any]) -> Iterator[Call]:
    """A session for a request: its transaction's, or one of its own."""
    until, cluster = monotonic() + SECONDS, coming_in.cluster(ctx, req["resourceArn"])
    login, name = coming_in.login(ctx, req, cluster), req.get("transactionId")
    if not name:
        session = _opened(ctx, login, until)
        try:
            with worded(session.process):
                yield Call(session, until)
        finally:
            session.close()
        return
    session = transactions.named(ctx, name, cluster, login, req.get("database"))
    try:
        with worded(session.process):
            try:
                yield Call(session, until)
            except PlaneError:
                transactions.let_go(ctx.world, name)
                session.abort()
                raise
    finally:
        if not session.in_transaction() and transactions.let_go(ctx.world, name):
            session.close()  # a statement ended it


def begun(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """A session with a transaction; (cluster, login, session)."""
    until, cluster = monotonic() + SECONDS, coming_in.cluster(ctx, req["resourceArn"])
    login = coming_in.login(ctx, req, cluster)
    session = _opened(ctx, login, until)
    try:
        with worded(session.process):
            Call(session, until).ask("BEGIN")
    except BaseException:
        session.close()
        raise
    return ctx.prepared((cluster, login, session))


def ended(ctx: Ctx, req: dict[str, Any], sql: str) -> Ctx:
    """A transaction is committed or rolled back, and over either way."""
    with call(ctx, req) as going:
        done = going.ask(sql)
    if done.tag != sql:
        raise errors.failed_transaction()
    return ctx


def executed(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """One statement; what it answers."""
    sql, names = naming.numbered(req["sql"])
    given, told = values.given(req.get("parameters"), names), values.Told(req.get("resultSetOptions"))
    formatted, described = req.get("formatRecordsAs") == "JSON", list[dict[str, Any]]()
    most = results.MOST_FORMATTED if formatted else results.MOST
    with call(ctx, req) as going:
        answer = going.ask(sql, given, most=most, goes_on=bool(req.get("continueAfterTimeout")))
        if answer.columns and req.get("includeResultMetadata") and not formatted:
            said = going.ask(metadata.ASKS, metadata.asked(answer.columns))
            described = metadata.told(answer.columns, said.rows)
    return ctx.prepared(results.shown(answer, told, formatted, described))


def batched(ctx: Ctx, req: dict[str, Any]) -> Ctx:
    """A statement for each set of parameters: all of them are done, or none where there is no transaction."""
    sql, names = naming.numbered(req["sql"])
    sets = [values.given(one, names) for one in req.get("parameterSets") or [[]]]
    with call(ctx, req) as going:
        alone = not req.get("transactionId")
        if alone:
            going.ask("BEGIN")
        for one in sets:
            if going.ask(sql, one, most=1).columns is not None:
                raise errors.unexpected_result()
        if alone and going.ask("COMMIT").tag != "COMMIT":
            raise errors.failed_transaction()
    return ctx.prepared({"updateResults": [{"generatedFields": list[Any]()} for _ in sets]})
