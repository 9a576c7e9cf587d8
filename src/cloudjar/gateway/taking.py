"""Large bodies on their way in, as a connection sees them: threads keep them; the request is whole when they have."""

from __future__ import annotations

import asyncio
import logging
import os
from abc import abstractmethod
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.gateway import http1
from cloudjar.gateway.answering import Answering
from cloudjar.gateway.body import BodyPolicy, too_large
from cloudjar.gateway.drawing import Drawn
from cloudjar.gateway.inflow import Inflow, Landed
from cloudjar.gateway.phase import Phase
from cloudjar.wire.message import Request, Response

log = logging.getLogger("cloudjar.gateway")

_WORTH = 64 << 10
"""Bytes that are still to come below which the loop reads them itself."""


class Taking(Answering):
    """The part of a connection that takes bodies which go straight to where they are kept."""

    phase: Phase
    _inflow: Inflow | Drawn | None

    @abstractmethod
    def _guard(self, step: Any, *args: Any) -> None:
        """Run one step; no exception leaves."""

    @abstractmethod
    def _read(self, wanted: bool) -> None:
        """Read on, or stop for a while."""

    @abstractmethod
    def _refuse(self, response: Response, data: bytes = b"") -> bytes:
        """Answer before the body was read."""

    @abstractmethod
    def _dispatch(self, request: Request) -> None:
        """The request is whole."""

    @abstractmethod
    def _expect_body(self, head: http1.Head, data: bytes) -> None:
        """The body comes next."""

    def _begin_flow(self, head: http1.Head, policy: BodyPolicy, data: bytes) -> bytes:
        assert policy.sink is not None
        assert self._request is not None
        if head.length > policy.max_size:
            return self._refuse(self._error(self._request, too_large(policy.max_size)), data)
        threads, soon = self.server.threads, self.server.call_from_thread
        sink: Any = policy.sink()
        self._expect_body(head, data)
        worth = policy.decoder is None and hasattr(sink, "room") and len(data) + _WORTH <= head.length
        fd = self._own_descriptor() if worth else -1
        if fd < 0:
            self._inflow = Inflow(self, sink, policy.decoder, head.length, threads, soon)
            return data
        self._read(False)
        self.busy()
        self._inflow = drawn = Drawn(self, sink, head.length, fd, threads, asyncio.get_running_loop())
        drawn.begin(data)
        return b""

    def _own_descriptor(self) -> int:
        """Of the client's socket, if what comes from it is what he said; else -1."""
        sock = None if self._tls is not None else self._wire.get_extra_info("socket")
        return -1 if sock is None else os.dup(sock.fileno())

    def _take_flow(self, flow: Inflow, data: bytes) -> bytes:
        self._set_deadline(self.server.timeouts.body)
        rest = flow.feed(data)
        if flow.done:
            self.phase = Phase.BUSY
            self.deadline = 0.0
        return rest

    def flow_reading(self, flow: Inflow, wanted: bool) -> None:
        """The threads that keep a body cannot keep up, or have caught up."""
        if self._inflow is flow and self.phase is Phase.BODY:
            self._set_deadline(self.server.timeouts.body if wanted else 0.0)
            self._read(wanted)

    def flow_waits(self, flow: Drawn, waits: bool) -> None:
        """It is the client who is waited for, or no longer."""
        if self._inflow is flow:
            self._set_deadline(self.server.timeouts.body if waits else 0.0)

    def flow_broken(self, flow: Drawn) -> None:
        """The client is gone before his body was whole."""
        if self._inflow is flow:
            self.abort()

    def flow_landed(self, flow: Inflow | Drawn, body: Landed) -> None:
        """A large body is where it is kept: the request is whole."""
        request = self._request
        if self._inflow is not flow or request is None:
            body.close()
            return
        self._inflow = None
        request.body = body
        request.raw_body_hash = body.digests["sha256"].hex() if "sha256" in body.digests else ""
        request.decoded = flow.decodes
        self._guard(self._dispatch, request)
        self._proceed()

    def flow_failed(self, flow: Inflow | Drawn, error: Exception) -> None:
        """A large body is not what it claims to be, or the disk failed."""
        request = self._request
        if self._inflow is not flow or request is None:
            return
        if isinstance(error, AwsError):
            self._guard(self._refuse, self._error(request, error))
        else:
            log.error("a request body could not be stored", exc_info=error)
            self._guard(self._refuse, self._failure())

    def _stop_flow(self) -> None:
        flow, self._inflow = self._inflow, None
        if flow is not None:
            flow.close()
