"""How services that give advice see an account: through its other services' operations, as their service-linked role.

What was asked once is not asked again. A question that nobody can answer (the product does not have the service, the
role is refused by a service control policy) is `NotAvailable`: whoever asked can say nothing, never that all is well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from cloudjar.base import arn as arns
from cloudjar.base import caller as callers
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.spec import models

HOME = "us-east-1"


class NotAvailable(Exception):
    """It cannot be looked at; the message says why."""


class LinkedRole(NamedTuple):
    """Who looks: a service's principal, the name of its service-linked role, and of the sessions."""

    principal: str
    role: str
    session: str


class Looking:
    """One look at an account."""

    linked: LinkedRole

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.now: datetime = ctx.now
        self._asked: dict[str, dict[str, Any]] = {}

    @cached_property
    def _who(self) -> Caller:
        """The role's session; the role is made when it is first needed."""
        principal, role, session = self.linked
        there = self.ctx.at(self.ctx.account, HOME)
        make_role(there, self.linked)
        arn = arns.make("iam", "", self.ctx.account, f"role/aws-service-role/{principal}/{role}")
        return there.as_role(arn, service=principal, session_name=session)

    def ask(self, service: str, operation: str, region: str = HOME, **params: Any) -> dict[str, Any]:
        """An answer; the `AwsError` that a service gives, or `NotAvailable`."""
        key = json.dumps((service, operation, region, params), sort_keys=True, default=str)
        found = self._asked.get(key)
        if found is None:
            found = self._asked[key] = self._call(service, operation, region, params)
        return found

    def need(self, service: str) -> None:
        """Raise `NotAvailable` when the product does not have a service."""
        if not self.ctx.world.load(service):
            raise NotAvailable(f"this jar has no {service}")

    def _call(self, service: str, operation: str, region: str, params: dict[str, Any]) -> dict[str, Any]:
        self.need(service)
        try:
            return self.ctx.at(self.ctx.account, region).call(service, operation, params, caller=self._who)
        except AwsError as error:
            if error.status == 501 or error.code.startswith(("AccessDenied", "UnauthorizedOperation")):
                raise NotAvailable(f"{service}:{operation}: {error.message}") from None
            raise

    def each(
        self, service: str, operation: str, member: str, region: str = HOME, **params: Any
    ) -> Iterator[dict[str, Any]]:
        """Everything that an operation lists, over all its pages."""
        paginator = models.service(service).operations[operation].paginator
        more: dict[str, Any] = {}
        while True:
            page = self.ask(service, operation, region, **params, **more)
            yield from page.get(member) or ()
            if paginator is None or (paginator.more_results and not page.get(paginator.more_results)):
                return
            names = zip(paginator.input_token, paginator.output_token, strict=True)
            more = {name: page[out] for name, out in names if page.get(out)}
            if not more:
                return


def make_role(ctx: Ctx, linked: LinkedRole) -> None:
    """The service-linked role, where it is not there yet."""
    there = ctx.at(ctx.account, HOME)
    if there.find("iam", "role", linked.role) is None:
        who = callers.service(linked.principal, ctx.account)
        there.call("iam", "CreateServiceLinkedRole", {"AWSServiceName": linked.principal}, caller=who)
