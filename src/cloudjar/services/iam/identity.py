"""What authentication and authorisation ask of IAM, answered from memory: `auth.identity.Identity`.

Everything is derived from records and forgotten at any write to one of IAM's tables. A reader that began before a
write files its answer in the memory that the write has replaced, so no stale answer outlives the write. When writes
are to be seen later (`kit.settling`), it is forgotten again as they settle.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
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
from cloudjar.services.iam.records import AccessKey, Group, KeyUse, Principal, Role, User

_CACHE_LIMIT = 4096
_STORE_EVERY = timedelta(minutes=1)
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


class _Use:
    """A key's last use. `store_at` is when the store may hear of the next one; `stored`: it knows this one."""

    __slots__ = ("at", "region", "service", "store_at", "stored")

    def __init__(self, at: datetime, service: str, region: str) -> None:
        self.at = at
        self.service = service
        self.region = region
        self.store_at = at + _STORE_EVERY
        self.stored = False


class IamIdentity:
    """The IAM service as `auth` sees it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._memory = _Memory()
        self._uses: dict[str, _Use] = {}
        self._settling = world.state.settling["iam"]
        world.state.watchers.setdefault("iam", []).append(self._forget)
        world.at_stop.append(self.flush)

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

    # -- use of keys
    def key_used(self, access_key_id: str, service: str, region: str) -> None:
        """Note a key's use; the store hears of it at once the first time, then at most once a minute."""
        now = self._world.clock.now()
        use = self._uses.get(access_key_id)
        if use is not None and now < use.store_at:
            use.at, use.service, use.region, use.stored = now, service, region, False
        elif access_key_id.startswith("AKIA"):  # temporary credentials have no record to note it in
            self._uses[access_key_id] = use = _Use(now, service, region)
            self._store(access_key_id, use)

    def _store(self, key_id: str, use: _Use) -> None:
        use.stored = True
        key = self._db("").find(AccessKey, key_id)
        if key is None:
            return
        table = self._db(key.account)[KeyUse]
        record = KeyUse(account=key.account, id=key_id, at=use.at, service=use.service, used_in=use.region)
        if table.get(key_id) is None:
            table.add(record)
        else:
            table.put(record)

    def use(self, key: AccessKey) -> KeyUse | None:
        """The last use of a key, None when it was never used."""
        noted = self._uses.get(key.id)
        if noted is not None:
            return KeyUse(account=key.account, id=key.id, at=noted.at, service=noted.service, used_in=noted.region)
        return self._db(key.account)[KeyUse].get(key.id)

    def forget_use(self, key: AccessKey) -> None:
        """Drop what is known of a deleted key."""
        self._uses.pop(key.id, None)
        table = self._db(key.account)[KeyUse]
        stored = table.get(key.id)
        if stored is not None:
            table.drop(stored)

    def flush(self) -> None:
        """Store what the store has not heard of yet: called at a clean stop."""
        for key_id, use in tuple(self._uses.items()):
            if not use.stored:
                self._store(key_id, use)


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


def _managed(db: Db, arn: str, flavour: Flavour) -> Policy | None:
    found = managed.find(db, arn)
    return None if found is None else Policy(parse(found.document, flavour), found.name, arn)
