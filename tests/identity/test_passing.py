"""Whatever takes a role asks whether it may be passed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from cloudjar.app import SERVICES
from cloudjar.auth.authorize import Authorizer, Denied
from cloudjar.base.caller import root
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import Grant, Services
from cloudjar.spec import iam, models
from cloudjar.spec.models import Shape
from tests.jar import ACCOUNT, TestJar
from tests.services.iam.people import OTHER

ROLE = re.compile(r"role(arn|name)?$|^role|instanceprofile", re.IGNORECASE)
# IAM and STS are about roles themselves; Organizations names a role that it makes; Secrets Manager refuses the member.
# A launch template only writes down a role: whoever launches from it passes the role.
ABOUT_ROLES = {"iam", "sts"}
NOT_PASSED = {
    ("application-autoscaling", "RegisterScalableTarget"),  # its service-linked role acts, whatever is named
    ("ec2", "CreateFleet"),  # RunInstances asks for it, as the caller: tests/services/ec2/test_fleets.py
    ("ec2", "ModifyFleet"),
    ("ec2", "CreateLaunchTemplate"),
    ("ec2", "CreateLaunchTemplateVersion"),
    ("ec2", "ExportImage"),
    ("ec2", "ImportImage"),
    ("ec2", "ImportSnapshot"),  # VM Import asks for none: the role's trust admits it, by its external id
    ("invoicing", "ListInvoiceSummaries"),  # ReceiverRole: whether who pays buys or sells
    ("organizations", "CreateAccount"),
    ("rds", "CreateDBProxyEndpoint"),  # TargetRole: whether it takes writes
    ("secretsmanager", "RotateSecret"),
}


def roles_in(shape: Shape | None, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """Members of a request that name roles or what carries them."""
    if shape is None or shape.name in seen:
        return
    if shape.type == "list":
        yield from roles_in(shape.member, seen)
    elif shape.type == "structure":
        for name, member in shape.members.items():
            if ROLE.search(name):
                yield name
            yield from roles_in(member, (*seen, shape.name))


def test_every_operation_that_takes_a_role_asks_for_pass_role() -> None:
    services, asked = Services(SERVICES), set()
    for service in set(services.names) - ABOUT_ROLES:
        for operation in services.operations(service):
            if not any(roles_in(models.service(service).operations[operation.name].input)):
                continue
            place = (service, operation.name)
            if place in NOT_PASSED:
                continue
            entries = [e for e in iam.authorization(*place) if e.action == "iam:PassRole"]
            assert entries or operation.access is not None, place
            assert all("iam:PassedToService" in e.keys for e in entries), place
            asked.add(place)
    assert {("ec2", "RunInstances"), ("ec2", "AssociateIamInstanceProfile")} <= asked


def test_a_role_of_another_account_cannot_be_passed(steady_jar: TestJar) -> None:
    authorize = Authorizer(steady_jar.jar.world.ports["identity"], steady_jar.jar.sealer)
    need = Grant("iam:PassRole", f"arn:aws:iam::{OTHER}:role/theirs", owner=OTHER)
    with pytest.raises(Denied, match="Cross-account pass role is not allowed") as refused:
        authorize(Ctx(steady_jar.jar.world, ACCOUNT, "eu-west-3", root(ACCOUNT)), "lambda", [need])
    assert refused.value.code == "AccessDeniedException"
