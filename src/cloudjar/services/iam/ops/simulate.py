"""The policy simulator: what policies would say, asked without doing anything.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from cloudjar.auth.organization import Organization
from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import Document, parse
from cloudjar.policy.evaluate import Policy, PolicySet
from cloudjar.policy.grammar import Flavour, PolicySyntaxError
from cloudjar.policy.principal import Kind, Principal
from cloudjar.services.iam import errors, managed, simulation, sources
from cloudjar.services.iam.exclusions import Exclusions
from cloudjar.services.iam.records import Group, Role, User
from cloudjar.services.iam.records import Principal as Entity
from cloudjar.services.iam.simulation import Scene

_EC2 = ("instance", "image", "security-group", "network-interface")
_HANDLING = {
    "EC2-VPC-InstanceStore": _EC2,
    "EC2-VPC-InstanceStore-Subnet": (*_EC2, "subnet"),
    "EC2-VPC-EBS": (*_EC2, "volume"),
    "EC2-VPC-EBS-Subnet": (*_EC2, "subnet", "volume"),
}
"""What each scenario must bring along, by resource type of EC2."""


@op("SimulateCustomPolicy")
def simulate_custom_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the given policies would decide; nothing stored bears on it."""
    levels = req.get("OrderedOrganizationPolicyInputList") or ()
    policies = PolicySet(
        identity=_inputs(req.get("PolicyInputList") or (), "PolicyInputList"),
        boundary=_boundary(req),
        scps=tuple(
            _inputs(level.get("ServiceControlPolicyInputList") or (), "ServiceControlPolicyInputList", Flavour.SCP)
            for level in levels
        ),
    )
    return _answer(ctx, req, policies, None)


@op("SimulatePrincipalPolicy")
def simulate_principal_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What the policies of a user (and his groups), group or role would decide, with more or fewer of them."""
    owner = sources.need_principal(ctx, req["PolicySourceArn"])
    without = Exclusions(req.get("PolicyExclusionList") or ())
    identity = [Policy(s.document, s.id, s.arn) for s in sources.of(ctx, owner) if not without.source(s)]
    standing = None if without.scps else _standing(ctx, owner.account)
    policies = PolicySet(
        identity=(*identity, *_inputs(req.get("PolicyInputList") or (), "PolicyInputList")),
        boundary=_boundary(req) or _attached_boundary(ctx, owner, without),
        scps=standing or (),
        exempt_from_scps=isinstance(owner, Role) and bool(owner.linked_service),
    )
    return _answer(ctx, req, policies, owner)


@op("GetContextKeysForCustomPolicy")
def get_context_keys_for_custom_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The condition keys and variables that the given policies ask for."""
    return {"ContextKeyNames": _keys([_document(text) for text in req["PolicyInputList"]])}


@op("GetContextKeysForPrincipalPolicy")
def get_context_keys_for_principal_policy(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The condition keys and variables that a principal's policies, and those given besides, ask for."""
    owner = sources.need_principal(ctx, req["PolicySourceArn"])
    documents = [source.document for source in sources.of(ctx, owner)]
    return {"ContextKeyNames": _keys([*documents, *(_document(t) for t in req.get("PolicyInputList") or ())])}


def _keys(documents: Sequence[Document]) -> list[str]:
    found: dict[str, str] = {}
    for document in documents:
        found.update({k: v for k, v in simulation.spellings(document).items() if k not in found})
    return sorted(found.values())


# -- the scene
def _answer(ctx: Ctx, req: dict[str, Any], policies: PolicySet, owner: Entity | None) -> dict[str, Any]:
    caller = _caller(ctx, req, owner)
    if req.get("ResourcePolicy"):
        if caller.kind is Kind.ROLE_SESSION:
            raise errors.invalid_input("Simulation of resource-based policies is not supported for IAM roles.")
        if not caller.arn:
            raise errors.invalid_input("CallerArn is required when a ResourcePolicy is given.")
        document = _document(req["ResourcePolicy"], Flavour.RESOURCE)
        policies = replace(policies, resource=Policy(document, "ResourcePolicy"))
    resources = tuple(req.get("ResourceArns") or ())
    _check_resources(resources, req.get("ResourceHandlingOption") or "")
    scene = Scene(
        caller,
        policies,
        simulation.context(req.get("ContextEntries") or ()),
        _account(req.get("ResourceOwner") or caller.account),
        () if resources == ("*",) else resources,
    )
    actions = [_action(name) for name in req["ActionNames"]]
    return {"EvaluationResults": [simulation.evaluate(scene, action) for action in actions]}


def _action(name: str) -> str:
    service, colon, action = name.partition(":")
    if not (service and colon and action) or "*" in name or "?" in name:
        raise errors.invalid_input(f"Invalid action name: {name}. Name one operation with its service: iam:CreateUser.")
    return name


def _check_resources(resources: Sequence[str], handling: str) -> None:
    for resource in resources:
        if resource != "*" and arns.parse(resource) is None:
            raise errors.invalid_input(f"Invalid resource ARN: {resource}")
    if not handling:
        return
    if handling not in _HANDLING:
        raise errors.invalid_input(f"Invalid ResourceHandlingOption: {handling}")
    types = {parsed.type for parsed in map(arns.parse, resources) if parsed is not None and parsed.service == "ec2"}
    lacking = [wanted for wanted in _HANDLING[handling] if wanted not in types]
    if lacking:
        raise errors.invalid_input(f"{handling} requires resources of these types too: {', '.join(lacking)}")


def _caller(ctx: Ctx, req: dict[str, Any], owner: Entity | None) -> Principal:
    """Who the simulated caller is: the one named, else the principal whose policies are asked about, else nobody."""
    arn = req.get("CallerArn") or (arn_of(owner) if owner is not None else "")
    if not arn:
        return Principal(Kind.USER, account=ctx.account)
    parsed = arns.parse(arn)
    if parsed is None or parsed.service != "iam" or parsed.type not in ("user", "group", "role"):
        raise errors.invalid_input(f"Invalid CallerArn: {arn} is not the ARN of an IAM user, group or role.")
    found = sources.find_principal(ctx, arn)
    unique = found.id if found is not None else ""
    if parsed.type == "role":
        return Principal(Kind.ROLE_SESSION, arn, parsed.account, base_arn=arn, unique_id=unique)
    return Principal(Kind.USER, arn, parsed.account, unique_id=unique)


def _account(owner: str) -> str:
    """The account that a ResourceOwner names: by number or by the ARN of its root."""
    parsed = arns.parse(owner)
    account = parsed.account if parsed is not None else owner
    if len(account) != 12 or not account.isdecimal():
        raise errors.invalid_input(f"Invalid ResourceOwner: {owner}")
    return account


# -- policies
def _document(text: str, flavour: Flavour = Flavour.IDENTITY) -> Document:
    try:
        return parse(text, flavour)
    except PolicySyntaxError as error:
        raise errors.invalid_input(error.message) from None


def _inputs(texts: Sequence[str], name: str, flavour: Flavour = Flavour.IDENTITY) -> tuple[Policy, ...]:
    return tuple(Policy(_document(text, flavour), f"{name}.{i}") for i, text in enumerate(texts, 1))


def _boundary(req: dict[str, Any]) -> Policy | None:
    given = _inputs(
        req.get("PermissionsBoundaryPolicyInputList") or (), "PermissionsBoundaryPolicyInputList", Flavour.BOUNDARY
    )
    if len(given) > 1:
        raise errors.invalid_input("You can specify only one permissions boundary policy.")
    return given[0] if given else None


def _attached_boundary(ctx: Ctx, owner: Entity, without: Exclusions) -> Policy | None:
    arn = "" if isinstance(owner, Group) or not isinstance(owner, User | Role) else owner.boundary
    if not arn or without.boundary(arn):
        return None
    found = managed.find(ctx.at(owner.account, "").db, arn)
    return None if found is None else Policy(parse(found.document, Flavour.BOUNDARY), found.name, arn)


def _standing(ctx: Ctx, account: str) -> tuple[tuple[Policy, ...], ...] | None:
    """The SCPs that bear on an account, level by level; None for the management account and outside organizations."""
    port: Callable[[], Organization | None] = ctx.world.ports["organization"]
    organization = port()
    standing = None if organization is None else organization.standing(account)
    if standing is None or standing.management_account == account:
        return None
    return standing.scps
