"""What authentication and authorisation ask of IAM, answered from memory: `auth.identity.Identity`.

Everything is derived from records and forgotten at any write to one of IAM's tables. A reader that began before a
write files its answer in the memory that the write has replaced, so no stale answer outlives the write. When writes
are to be seen later (`kit.settling`), it is forgotten again as they settle.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

from msgspec.structs import replace

from cloudjar.auth.identity import Key
from cloudjar.base.caller import Caller
from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.kit.record import arn_of
from cloudjar.policy.document import parse
from cloudjar.policy.evaluate import Policy, PolicySet
from cloudjar.policy.grammar import Flavour
from cloudjar.services.iam import managed
from cloudjar.services.iam.records import AccessKey, Group, PasswordPolicy, Principal, Role, User
from cloudjar.services.iam.uses import Uses

_CACHE_LIMIT = 4096
_PORT = "iam"
_NOBODY = PolicySet()

K = TypeVar("K")
V = TypeVar("V")


def key_purpose(key_id: str) -> str:
    """What a key's secret is sealed for."""
    return f"access-key/{key_id}"


def identity(world: World) -> IamIdentity:
    """The one view of IAM that a world has."""
    found = world.ports.get(_PORT)
    if found is None:
        found = world.ports[_PORT] = IamIdentity(world)
    return found


class _Memory:
    """What was worked out since the last write."""

    __slots__ = ("keys", "live", "policies")

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.policies: dict[tuple[object, ...], PolicySet] = {}
        self.live: dict[tuple[str, str], bool] = {}


def _keep(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= _CACHE_LIMIT:
        known.clear()
    known[key] = value


class IamIdentity:
    """The IAM service as `auth` sees it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._memory = _Memory()
        self.uses = Uses(world)
        self._settling = world.state.settling["iam"]
        world.state.watchers.setdefault("iam", []).append(self._forget)

    def _forget(self) -> None:
        self._memory = _Memory()

    def _fresh(self) -> _Memory:
        """What is remembered, as long as no write has settled meanwhile."""
        if self._settling.next is not None and self._settling.passed():
            self._forget()
        return self._memory

    def _db(self, account: str) -> Db:
        """What has settled: authentication and authorisation are readers even of a call that writes."""
        return Db(self._world.state, account, "", settled=True)

    # -- keys
    def key(self, access_key_id: str) -> Key | None:
        """A user's key by its id, with the secret opened."""
        memory = self._fresh()
        found = memory.keys.get(access_key_id)
        if found is None:
            found = self._read_key(access_key_id)
            if found is not None:
                _keep(memory.keys, access_key_id, found)
        return found

    def _read_key(self, key_id: str) -> Key | None:
        key = self._db("").find(AccessKey, key_id)
        user = None if key is None else self._db(key.account)[User].get(key.user)
        if key is None or user is None:
            return None
        secret = self._world.sealer.open(key.secret, key_purpose(key_id))
        if secret is None:
            return None  # sealed by another installation: nobody can sign with it
        caller = Caller(
            kind="user",
            account=user.account,
            arn=arn_of(user),
            unique_id=user.id,
            user_name=user.name,
            access_key_id=key_id,
            tags=user.tags,
        )
        return Key(caller, secret.decode(), key.active)

    # -- principals
    def exists(self, caller: Caller) -> bool:
        """False when the user or role behind credentials has been deleted, though another may have its name."""
        if caller.kind not in ("user", "role", "federated"):
            return True
        memory, place = self._fresh(), (caller.role_arn or caller.arn, caller.unique_id)
        found = memory.live.get(place)
        if found is None:
            found = self._principal(caller) is not None
            _keep(memory.live, place, found)
        return found

    def _principal(self, caller: Caller) -> User | Role | None:
        """The record behind a caller, None when it is gone or another one by now."""
        db = self._db(caller.account)
        if caller.kind == "role":
            role = db[Role].get(caller.role_arn.rpartition("/")[2])
            return role if role is not None and role.id == caller.unique_id.partition(":")[0] else None
        if caller.kind == "federated":  # its unique id is its own: the ARN says who is behind it
            user = db[User].get(caller.role_arn.rpartition("/")[2])
            return user if user is not None and arn_of(user) == caller.role_arn else None
        return next(iter(db[User].all(id=caller.unique_id)), None)  # by id: sessions outlive another name

    # -- policies
    def policies(self, caller: Caller) -> PolicySet:
        """The policies that bear on a caller now; none for a principal that is gone."""
        if caller.kind not in ("user", "role", "federated"):
            return _NOBODY
        memory = self._fresh()
        place = (caller.role_arn or caller.arn, caller.unique_id, caller.session_policies, caller.session_policy_arns)
        found = memory.policies.get(place)
        if found is None:
            found = self._read_policies(caller)
            _keep(memory.policies, place, found)
        return found

    def _read_policies(self, caller: Caller) -> PolicySet:
        owner = self._principal(caller)
        if owner is None:
            return _NOBODY
        db = self._db(caller.account)
        identity_policies = list(_of(db, owner))
        for name in owner.groups if isinstance(owner, User) else ():
            group = db[Group].get(name)
            if group is not None:
                identity_policies += _of(db, group)
        if isinstance(owner, User):
            identity_policies += _granted_to_all(db, owner)
        found = PolicySet(identity=tuple(identity_policies), session=self._session(db, caller))
        if owner.boundary:
            found = replace(found, boundary=_managed(db, owner.boundary, Flavour.BOUNDARY) or _DENY_ALL)
        return found

    @staticmethod
    def _session(db: Db, caller: Caller) -> tuple[Policy, ...] | None:
        """None when the session is not narrowed; a federated user has what his session policies say, or nothing."""
        if not caller.session_policies and not caller.session_policy_arns:
            return () if caller.kind == "federated" else None
        inline = [Policy(parse(text, Flavour.SESSION), "session policy") for text in caller.session_policies]
        attached = (_managed(db, arn, Flavour.SESSION) for arn in caller.session_policy_arns)
        return (*inline, *(policy for policy in attached if policy is not None))

    # -- use of keys and roles
    def key_used(self, access_key_id: str, service: str, region: str) -> None:
        """Note a key's use."""
        self.uses.key(access_key_id, service, region)

    def role_used(self, caller: Caller, region: str) -> None:
        """Note that a session of a role made a call."""
        self.uses.role(caller.account, caller.unique_id.partition(":")[0], region)


_DENY_ALL = Policy(
    parse('{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}', Flavour.BOUNDARY),
    "a permissions boundary that no longer exists",
)


def _of(db: Db, owner: Principal) -> Iterable[Policy]:
    """A principal's own policies: embedded and attached."""
    for name, text in owner.inline.items():
        yield Policy(parse(text, Flavour.IDENTITY), name)
    for arn in owner.attached:
        policy = _managed(db, arn, Flavour.IDENTITY)
        if policy is not None:
            yield policy


def _granted_to_all(db: Db, user: User) -> Iterable[Policy]:
    """What the account's password policy lets every user do: change his own password."""
    policy = db[PasswordPolicy].get(user.account)
    if policy is not None and policy.users_change:
        own = {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": arn_of(user)}
        rules = {"Effect": "Allow", "Action": "iam:GetAccountPasswordPolicy", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [own, rules]})
        yield Policy(parse(text, Flavour.IDENTITY), "the account password policy")


def _managed(db: Db, arn: str, flavour: Flavour) -> Policy | None:
    found = managed.find(db, arn)
    return None if found is None else Policy(parse(found.document, flavour), found.name, arn)
