"""The service authorization reference as data: operation -> permissions -> resources -> condition keys.

`authorization("ec2", "RunInstances")` says which actions a request needs and how its resources are read
from it; `action("ec2:RunInstances")` says what the reference says of an action. Files are read when a
service is first asked for, operations are compiled when first asked for, nothing is read at import.

https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cloudjar.spec.arn_template import ArnTemplate, Find, Lookup, Request, format_pattern, values

__all__ = [
    "ActionFacts",
    "ArnTemplate",
    "Condition",
    "Entry",
    "Find",
    "Lookup",
    "ResourceSpec",
    "ResourceType",
    "UnknownAction",
    "action",
    "actions_of",
    "authorization",
    "keys_of",
    "operations_of",
    "prefix_of",
    "resource_type",
    "resource_types_of",
]

LEVELS = {"R": "Read", "L": "List", "W": "Write", "T": "Tagging", "P": "Permissions management"}


class UnknownAction(KeyError):
    """The reference has no such service, operation, action or resource type: refuse, do not guess."""


class ResourceType(NamedTuple):
    """A resource type of a service: ARN formats (some types have two) and condition keys."""

    name: str
    formats: tuple[str, ...]
    condition_keys: tuple[str, ...]

    def matches(self, arn: str) -> bool:
        """Whether an ARN is of this type."""
        return format_pattern(", ".join(self.formats)).fullmatch(arn) is not None


class ActionResource(NamedTuple):
    """A resource type that an action may be restricted to."""

    type: str
    required: bool
    condition_keys: tuple[str, ...]


class ActionFacts(NamedTuple):
    """What the reference says of an action.

    `level` is Read, List, Write, Tagging or Permissions management; `condition_keys` are those of the
    action itself, each resource has its own; `dependents` are actions that it needs besides.
    """

    name: str
    level: str
    resources: tuple[ActionResource, ...]
    condition_keys: tuple[str, ...]
    dependents: tuple[str, ...]


@cache
def _heads(path: str) -> frozenset[str]:
    """The request's own members that a path begins with: most conditions ask for one that most requests lack."""
    return frozenset(one.partition(".")[0].rstrip("[]@") for one in path.split(","))


class Condition(NamedTuple):
    """When an entry applies: a comparison of a request member (exists, missing, equals, differs, contains)."""

    test: str
    path: str
    operand: str = ""

    def holds(self, req: Request) -> bool:
        """Whether the request is one that the entry is about."""
        found = [v for v in values(req, self.path) if v] if not _heads(self.path).isdisjoint(req) else []
        match self.test:
            case "exists":
                return bool(found)
            case "missing":
                return not found
            case "equals":
                return self.operand in found
            case "differs":
                return self.operand not in found
            case "contains":
                return any(self.operand.lower() in v.lower() for v in found)
        raise ValueError(f"no such test: {self.test}")


class ResourceSpec(NamedTuple):
    """A resource of a request. `guess` marks a wildcard that stands for what the request does not tell:
    a policy that names one resource will not match it, so the owner of the record should say better."""

    type: str
    template: ArnTemplate
    required: bool
    guess: bool
    condition_keys: tuple[str, ...]


class Entry(NamedTuple):
    """One permission that an operation needs.

    `when` limits it to some requests; `keys` are condition keys with a fixed value (``ec2:CreateAction``);
    `arns` are condition keys whose value is an ARN that the request tells (``iam:AssociatedResourceArn``).
    `assumed` says that the reference does not list the operation and its own name was taken as the action.
    """

    action: str
    resources: tuple[ResourceSpec, ...]
    condition_keys: tuple[str, ...]
    when: Condition | None
    keys: Mapping[str, str]
    assumed: bool
    arns: Mapping[str, ArnTemplate] = {}

    def applies(self, req: Request) -> bool:
        """Whether this request needs the permission."""
        return self.when is None or self.when.holds(req)

    def targets(
        self, req: Request, partition: str, region: str, account: str, find: Find | None = None
    ) -> list[tuple[ResourceSpec | None, str]]:
        """What the permission is needed on: each resource and its ARN; ``(None, "*")`` when there is none."""
        found: list[tuple[ResourceSpec | None, str]] = []
        for spec in self.resources:
            for arn in spec.template.expand(req, partition, region, account, find):
                found.append((spec, arn))
        return found or [(None, "*")]


class _Actions(msgspec.Struct):
    """A file of data/iam/actions."""

    keys: list[tuple[str, str]]
    actions: dict[str, tuple[str, list[tuple[str, int, list[int]]], list[int], list[str]]]
    types: dict[str, tuple[str, list[int]]]


class _Operation(msgspec.Struct):
    """An entry of a file of data/iam/ops: action, resources (type, template, flags), when, fixed keys."""

    a: str
    r: list[tuple[str, Any, int]]
    when: list[str] | None = None
    keys: dict[str, Any] = {}
    assumed: int = 0


class _Operations(msgspec.Struct):
    """A file of data/iam/ops; operations stay bytes until they are asked for."""

    prefix: str
    ops: dict[str, msgspec.Raw]


@cache
def _actions(prefix: str) -> _Actions:
    return msgspec.json.decode(_read("actions", prefix), type=_Actions)


@cache
def _operations(service: str) -> _Operations:
    return msgspec.json.decode(_read("ops", service), type=_Operations)


def _read(kind: str, name: str) -> bytes:
    file = Path(__file__).with_name("data") / "iam" / kind / f"{name}.json"
    if "/" in name or not file.is_file():
        raise UnknownAction(f"the authorization reference has no {kind} of {name!r}")
    return file.read_bytes()


@cache
def authorization(service: str, operation: str) -> tuple[Entry, ...]:
    """The permissions that an operation needs; every one whose `applies` holds must be granted.

    `service` is botocore's name, `operation` the model's. Empty for the few operations that need none
    (``sts:GetCallerIdentity``). Raises `UnknownAction` for an operation that is not in the model.
    """
    raw = _operations(service).ops.get(operation)
    if raw is None:
        raise UnknownAction(f"{service}:{operation}")
    return tuple(_entry(e) for e in msgspec.json.decode(raw, type=list[_Operation]))


def _entry(raw: _Operation) -> Entry:
    facts = None if raw.assumed else action(raw.a)
    keys = {r.type: r.condition_keys for r in facts.resources} if facts else {}
    resources = tuple(
        ResourceSpec(kind, ArnTemplate(template), bool(flags & 1), bool(flags & 2), keys.get(kind, ()))
        for kind, template, flags in raw.r
    )
    when = Condition(*raw.when) if raw.when else None
    fixed = {key: value for key, value in raw.keys.items() if isinstance(value, str) and "${" not in value}
    told = {key: ArnTemplate(value) for key, value in raw.keys.items() if key not in fixed}
    return Entry(raw.a, resources, facts.condition_keys if facts else (), when, fixed, bool(raw.assumed), told)


@cache
def action(name: str) -> ActionFacts:
    """Facts of an action such as ``ec2:RunInstances``, in the reference's spelling; `UnknownAction` if none."""
    prefix, _, short = name.partition(":")
    table = _actions(prefix)
    if short not in table.actions:
        raise UnknownAction(name)
    level, resources, keys, dependents = table.actions[short]
    return ActionFacts(
        name,
        LEVELS[level],
        tuple(ActionResource(t, bool(required), _keys(table, k)) for t, required, k in resources),
        _keys(table, keys),
        tuple(dependents),
    )


def _keys(table: _Actions, places: list[int]) -> tuple[str, ...]:
    return tuple(table.keys[i][0] for i in places)


def resource_type(prefix: str, name: str) -> ResourceType:
    """A resource type by the service's action prefix and the type's name; `UnknownAction` if none."""
    table = _actions(prefix)
    if name not in table.types:
        raise UnknownAction(f"{prefix} has no resource type {name!r}")
    formats, keys = table.types[name]
    return ResourceType(name, tuple(formats.split(", ")), _keys(table, keys))


def resource_types_of(prefix: str) -> tuple[str, ...]:
    """The names of a service's resource types."""
    return tuple(_actions(prefix).types)


def actions_of(prefix: str) -> tuple[str, ...]:
    """A service's actions, without the prefix."""
    return tuple(_actions(prefix).actions)


def keys_of(prefix: str) -> Mapping[str, str]:
    """The condition keys that a service's actions and resources know -> their type (String, ArrayOfString...)."""
    return dict(_actions(prefix).keys)


def operations_of(service: str) -> tuple[str, ...]:
    """The operations of a botocore service that the table knows."""
    return tuple(_operations(service).ops)


def prefix_of(service: str) -> str:
    """The action prefix of a botocore service: ``elbv2`` -> ``elasticloadbalancing``."""
    return _operations(service).prefix
