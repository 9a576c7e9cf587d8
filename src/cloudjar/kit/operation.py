"""Operations and services, declared.

``@op("CreateVpc")`` on a function ``(ctx, req) -> dict`` makes it the handler of that operation of the
service whose folder it lies in. What the model and the authorization table say is not repeated here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

import msgspec

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import Record
from cloudjar.spec import iam

Handler = Callable[[Ctx, dict[str, Any]], dict[str, Any]]


PolicyKind = Literal["resource", "trust", "key"]
"""What a resource's own policy is: one that may allow beside the caller's own policies (buckets, queues, secrets), a
role's trust policy, or a key policy. Without the consent of the last two nobody may, whatever his own policies say."""


class Grant(msgspec.Struct, frozen=True):
    """One thing the caller must be allowed: an IAM action on a resource, with condition keys known so far.

    `policy` is the resource's own policy document, if it has one. `grants` are further documents of the same form that
    allow beside it (KMS grants).
    """

    action: str
    resource: str = "*"
    keys: Mapping[str, Any] | None = None
    policy: str = ""
    owner: str = ""
    """Account of the resource when it is not the caller's."""
    kind: PolicyKind = "resource"
    grants: tuple[str, ...] = ()
    rcps: bool = True
    """Whether the resource control policies of the owner's organization bear on it: not on AWS managed keys."""


Access = Callable[[Ctx, dict[str, Any]], Iterable[Grant]]
Prepare = Callable[[Ctx, dict[str, Any]], Ctx]
Complete = Callable[[Ctx, dict[str, Any]], dict[str, Any]]

_READS = ("Describe", "List", "Get", "Lookup", "Head", "Decode", "Simulate", "Search", "BatchGet", "Query", "Scan")


@dataclass(frozen=True)
class Operation:
    """A handler and what the data cannot say about it."""

    service: str
    name: str
    handler: Handler
    writes: bool
    access: Access | None
    """Replaces the authorization table's entry when what must be allowed is not in the request alone."""
    keys: Callable[[Ctx, dict[str, Any]], Mapping[str, Any]] | None
    """Extra condition keys of the request."""
    pages: bool
    """The kit cuts the result into pages by the model's paginator traits."""
    completes: Complete | None = None
    """Fills in what a request only refers to (the launch template of a launch) before anybody is asked what he may: the
    filled-in request says on what. Audit and idempotency see what was sent. Reads only; raises as a handler does."""
    prepare: Prepare | None = None
    """What must be fetched from elsewhere before the call can run (an issuer's keys): a plain function that may block
    for seconds. It runs on a thread of its own, outside any transaction, for who may make the call; when the call
    needs no signature, before anybody is asked what he may: then it says who is asking. It gives the context in which
    the call goes on (`Ctx.prepared`), or raises. Reconcilers may ask for such operations too, outside of a transaction;
    handlers may not."""
    data: bool = False
    """CloudTrail's data event: what is done with a resource's contents, thousands of times a second. The event history
    does not have them; of the audit they get only what was refused (for ``cloudjar why``)."""
    joins: bool = False
    """Small and frequent: when it comes from outside its transaction is committed together with others' (see
    `store.database.Database.joined`)."""
    own: bool = False
    """It writes, and opens its transaction by itself, or joins the turn's (`store.database.Database.join`)."""


_OPERATIONS: dict[tuple[str, str], Operation] = {}


def op(
    name: str,
    *,
    writes: bool | None = None,
    access: Access | None = None,
    keys: Callable[[Ctx, dict[str, Any]], Mapping[str, Any]] | None = None,
    pages: bool = True,
    prepare: Prepare | None = None,
    completes: Complete | None = None,
    data: bool = False,
    joins: bool = False,
    own: bool = False,
) -> Callable[[Handler], Handler]:
    """Register a handler. `writes` defaults to what the operation's verb says."""

    def declare(handler: Handler) -> Handler:
        service = service_of(handler.__module__)
        changes = not name.startswith(_READS) if writes is None else writes
        _OPERATIONS[service, name] = Operation(
            service, name, handler, changes, access, keys, pages, completes, prepare, data, joins, own
        )
        return handler

    return declare


def service_of(module: str) -> str:
    """botocore's name of the service that a module of ``cloudjar.services`` belongs to."""
    return module.split(".")[2].strip("_").replace("_", "-")


@dataclass(frozen=True)
class Service:
    """A service's manifest: which modules hold its operations and machinery. Loaded at the first call."""

    name: str
    modules: tuple[str, ...]
    boots: bool = False
    """Has hooks that run when the server starts with records of the service (`kit.machine.on_boot`)."""


def packages(root: ModuleType) -> dict[str, str]:
    """The services whose folders lie in a package: botocore's name -> dotted name. Nothing is imported."""
    found = {}
    for folder in Path(str(root.__file__)).parent.iterdir():
        if (folder / "__init__.py").is_file():
            found[folder.name.strip("_").replace("_", "-")] = f"{root.__name__}.{folder.name}"
    return found


class Services:
    """The services that the product has, by botocore's name; packages are imported when first needed."""

    def __init__(self, packages: Mapping[str, str]) -> None:
        self._packages = packages
        self._loaded: set[str] = set()
        self._named: dict[str, str] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._packages

    @property
    def names(self) -> list[str]:
        return sorted(self._packages)

    def boots(self, name: str) -> bool:
        """Whether a service has hooks for the start."""
        return bool(importlib.import_module(self._packages[name]).SERVICE.boots)

    def named(self, name: str) -> str:
        """botocore's name of a service by that or by its prefix in IAM (``access-analyzer``); "" when there is none."""
        if name in self._packages:
            return name
        found = self._named.get(name)
        if found is None:
            found = next((service for service in self._packages if iam.prefix_of(service) == name), "")
            self._named[name] = found
        return found

    def load(self, name: str) -> bool:
        """Import a service's modules, by botocore's name or IAM's prefix; False when the product does not have it."""
        if name in self._loaded:
            return True
        name = self.named(name)
        if name in self._loaded:
            return True
        package = self._packages.get(name)
        if package is None:
            return False
        manifest: Service = importlib.import_module(package).SERVICE
        for module in manifest.modules:
            importlib.import_module(f"{package}.{module}")
        self._loaded.add(name)
        return True

    def operation(self, service: str, name: str) -> Operation | None:
        """The handler of an operation, or None when it is not built."""
        if not self.load(service):
            return None
        return _OPERATIONS.get((service, name))

    def operations(self, service: str) -> list[Operation]:
        """Every operation that a service has built."""
        self.load(service)
        return [o for (s, _), o in sorted(_OPERATIONS.items()) if s == service]


KeyExtractor = Callable[[Any], Mapping[str, Any]]
_KEYS: dict[tuple[str, str], KeyExtractor] = {}


def resource_keys(service: str, noun: str) -> Callable[[KeyExtractor], KeyExtractor]:
    """Decorator (``access.py``): condition keys that a stored resource brings, beside its tags."""

    def declare(function: KeyExtractor) -> KeyExtractor:
        _KEYS[service, noun] = function
        return function

    return declare


RequestKeys = Callable[[Ctx, str, dict[str, Any]], Mapping[str, Any]]
_REQUEST_KEYS: dict[str, RequestKeys] = {}


def request_keys(service: str) -> Callable[[RequestKeys], RequestKeys]:
    """Decorator (``access.py``): condition keys that every request to a service brings, by operation (``ec2:Region``,
    ``kms:ViaService``). The function gets the call, the operation's name and the request; `op(keys=...)` is for one."""

    def declare(function: RequestKeys) -> RequestKeys:
        _REQUEST_KEYS[service] = function
        return function

    return declare


def keys_of_request(service: str) -> RequestKeys | None:
    """The function that knows what every request to a service brings, when it is loaded and has one."""
    return _REQUEST_KEYS.get(service)


@cache
def _tag_prefix(service: str) -> str:
    """``ec2:resourcetag/`` where the service has a form of its own of the tag key."""
    prefix = f"{service}:resourcetag/"
    try:
        known = iam.keys_of(service)
    except iam.UnknownAction:
        return ""
    return prefix if any(key.lower().startswith(prefix) for key in known) else ""


def keys_of_resource(service: str, noun: str, item: Any) -> dict[str, Any]:
    """Condition keys of a stored record: ``aws:ResourceTag/...``, the service's own form of it, and extractors'."""
    keys: dict[str, Any] = {}
    held = getattr(item, "tags", None)
    if held:
        own = _tag_prefix(service)
        for key, value in held.items():
            keys[f"aws:resourcetag/{key.lower()}"] = value
            if own:
                keys[own + key.lower()] = value
    extractor = _KEYS.get((service, noun))
    if extractor is not None:
        keys.update({k.lower(): v for k, v in extractor(item).items()})
    return keys


Finder = Callable[[Ctx, str], Record | str | None]
_FINDERS: dict[str, Finder] = {}


def finds(kind: str) -> Callable[[Finder], Finder]:
    """Decorator (``access.py``): answers a look-up of the authorization table that is not simply a record by its key.

    The function gets the request's value (or "") and gives the record or an ARN, or None when there is no such thing.
    """

    def declare(function: Finder) -> Finder:
        _FINDERS[kind] = function
        return function

    return declare


def finder(kind: str) -> Finder | None:
    """The function behind a kind of look-up, when its service is loaded."""
    return _FINDERS.get(kind)


Locator = Callable[[Ctx, Operation, tuple[iam.Entry, ...], dict[str, Any]], Iterable[Grant]]
_LOCATORS: dict[str, Locator] = {}


def locates(service: str) -> Callable[[Locator], Locator]:
    """Decorator (``access.py``): says for every operation of a service (botocore's name) what must be allowed, from
    the authorization table's entries and the request: where resources are not records (S3's objects) or several
    policies bear on one. It may complete the request in place (what an access point stands for). `op(access=...)`
    comes first."""

    def declare(function: Locator) -> Locator:
        _LOCATORS[service] = function
        return function

    return declare


def locator(service: str) -> Locator | None:
    """The function that locates for a service, when it is loaded and has one."""
    return _LOCATORS.get(service)


class ResourcePolicy(NamedTuple):
    """A resource's own policy as it bears on a call: its JSON ("" for none), its kind, and documents that allow
    beside it, each a whole policy with principals (a KMS grant written as a statement). `rcps` is False for what
    resource control policies do not bear on (AWS managed keys)."""

    text: str
    kind: PolicyKind = "resource"
    grants: tuple[str, ...] = ()
    rcps: bool = True


PolicyOf = Callable[[Ctx, Any], ResourcePolicy]
_POLICIES: dict[tuple[str, str], PolicyOf] = {}


def resource_policies(service: str, noun: str) -> Callable[[PolicyOf], PolicyOf]:
    """Decorator (``access.py``): a record's own policy where it is not simply the plain resource policy that its field
    `policy` holds. The function gets the call and the record::

        @resource_policies("kms", "key")
        def key_policy(ctx: Ctx, key: Key) -> ResourcePolicy:
            return ResourcePolicy(key.policy, "key", tuple(statement(grant) for grant in grants_of(ctx, key)))
    """

    def declare(function: PolicyOf) -> PolicyOf:
        _POLICIES[service, noun] = function
        return function

    return declare


def policy_of(ctx: Ctx, service: str, noun: str, item: Record) -> ResourcePolicy:
    """The policy of a stored record; an empty one when its type has none."""
    declared = _POLICIES.get((service, noun))
    if declared is not None:
        return declared(ctx, item)
    return ResourcePolicy(getattr(item, "policy", "") or "")


ByArn = Callable[[Ctx, arns.Arn], Record | None]
_BY_ARN: dict[tuple[str, str], ByArn] = {}


def by_arn(service: str, noun: str) -> Callable[[ByArn], ByArn]:
    """Decorator (``access.py``): finds the record behind an ARN of this type where the ARN's last part is not its key
    (a secret's random suffix, a path). `ctx` stands in the ARN's own account and region, whoever calls."""

    def declare(function: ByArn) -> ByArn:
        _BY_ARN[service, noun] = function
        return function

    return declare


def finder_by_arn(service: str, noun: str) -> ByArn | None:
    """The function behind a type's ARNs, when its service is loaded and has one."""
    return _BY_ARN.get((service, noun))
