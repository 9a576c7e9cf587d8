"""Answers that wait until what they tell of is on disk, and the commits that they share."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial

from cloudjar.store.database import Database
from cloudjar.wire.message import Response

log = logging.getLogger("cloudjar")

_TURNS = 4
"""Of the loop, at most, for which answers that were made wait for others to share a commit with."""

Batch = list[tuple[asyncio.Future[Response], Response]]


class Turns:
    """The answers of one loop. `durable=False` commits and does not wait for the disk."""

    def __init__(self, database: Database, *, durable: bool) -> None:
        self._database = database
        self._durable = durable
        self._loop: asyncio.AbstractEventLoop | None = None
        self._batch: Batch = []

    def run_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """The event loop on which answers are sent."""
        self._loop = loop
        self._batch = []
        self._database.at_turns_end = self._at_turns_end

    def durably(self, response: Response) -> Awaitable[Response]:
        """The answer, once everything that was done so far is on disk; `OSError` if it could not be kept."""
        loop = self._loop
        assert loop is not None
        future: asyncio.Future[Response] = loop.create_future()
        self._batch.append((future, response))
        if len(self._batch) == 1:
            loop.call_soon(self._flush, loop)
        return future

    def _at_turns_end(self, commit: Callable[[], None]) -> None:
        """Commit what joined at the end of this turn, or with the answers that wait to be flushed."""
        assert self._loop is not None
        self._loop.call_soon(self._turn_ends, commit)

    def _turn_ends(self, commit: Callable[[], None]) -> None:
        if not self._batch:
            commit()

    def _flush(self, loop: asyncio.AbstractEventLoop, before: int = 0, turns: int = 0) -> None:
        """One commit of what joined, and one wait for the disk, for all answers that were made in this turn; and in the
        next ones, while each brings more: clients that were answered together ask again one after the other."""
        if before < len(self._batch) and turns < _TURNS:
            loop.call_soon(self._flush, loop, len(self._batch), turns + 1)
            return
        batch, self._batch = self._batch, []
        database = self._database
        try:
            database.commit_joined()
        except sqlite3.Error:
            log.exception("what was done in this turn of the loop is lost")
        if database.lost:
            database.lost = False
            _fail(batch)
        elif self._durable:
            database.flush(partial(loop.call_soon_threadsafe, _resolve, batch))
        else:
            _resolve(batch)


def _resolve(batch: Batch) -> None:
    for future, response in batch:
        if not future.done():
            future.set_result(response)


def _fail(batch: Batch) -> None:
    for future, _ in batch:
        if not future.done():
            future.set_exception(OSError("the database could not keep what this call did"))
