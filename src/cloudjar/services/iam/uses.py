"""When access keys and roles were last used. The store hears of a first use at once, of others at most once a minute,
and of the last ones at a clean stop.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cloudjar.kit.context import World
from cloudjar.kit.db import Db
from cloudjar.services.iam.records import AccessKey, KeyUse, RoleUse

_STORE_EVERY = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
_LIMIT = 100_000
"""How many users of the last minutes are remembered; the rest is read from the store."""

Use = KeyUse | RoleUse


class _Noted:
    """A use that is remembered. `store_at` is when the store may hear of the next one; `stored`: it knows this one."""

    __slots__ = ("store_at", "stored", "use")

    def __init__(self, use: Use) -> None:
        self.use = use
        self.store_at = use.at + _STORE_EVERY
        self.stored = False

    def is_as(self, now: datetime, service: str, region: str) -> bool:
        """Whether a use is shown like this one, which came within the same second."""
        use = self.use
        if not isinstance(use, KeyUse) or use.service != service or use.used_in != region:
            return False
        return use.at <= now and now.second == use.at.second and now - use.at < _SECOND


class Uses:
    """The last use of every key and role, by id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._noted: dict[str, _Noted] = {}
        world.at_stop.append(self.flush)

    def key(self, key_id: str, service: str, region: str) -> None:
        """Note the use of a user's key."""
        known = self._noted.get(key_id)
        if known is None:
            key = Db(self._world.state, "", "", settled=True).find(AccessKey, key_id)
            if key is None:  # temporary credentials have no record to note it in
                return
            account = key.account
        else:
            account = known.use.account
        now = self._world.clock.now()
        if known is not None and known.is_as(now, service, region):
            return
        self._note(known, KeyUse(account=account, id=key_id, at=now, service=service, used_in=region))

    def role(self, account: str, role_id: str, region: str) -> None:
        """Note that a session of a role made a call."""
        use = RoleUse(account=account, id=role_id, at=self._world.clock.now(), used_in=region)
        self._note(self._noted.get(role_id), use)

    def _note(self, known: _Noted | None, use: Use) -> None:
        if known is not None and use.at < known.store_at:
            known.use, known.stored = use, False
            return
        if len(self._noted) >= _LIMIT:
            self.flush()
            self._noted.clear()
        self._noted[use.id] = noted = _Noted(use)
        self._store(noted)

    def _store(self, noted: _Noted) -> None:
        noted.stored = True
        # Whatever was there before: the table has one row for each.
        Db(self._world.state, noted.use.account, "")[type(noted.use)].add(noted.use)

    def of_key(self, account: str, key_id: str) -> KeyUse | None:
        """The last use of a key, None when it was never used."""
        noted = self._noted.get(key_id)
        if noted is not None and isinstance(noted.use, KeyUse):
            return noted.use
        return Db(self._world.state, account, "")[KeyUse].get(key_id)

    def of_role(self, account: str, role_id: str) -> RoleUse | None:
        """The last use of a role, None when it was never used."""
        noted = self._noted.get(role_id)
        if noted is not None and isinstance(noted.use, RoleUse):
            return noted.use
        return Db(self._world.state, account, "")[RoleUse].get(role_id)

    def forget(self, account: str, kind: type[Use], use_id: str) -> None:
        """Drop what is known of a deleted key or role."""
        self._noted.pop(use_id, None)
        table = Db(self._world.state, account, "")[kind]
        stored = table.get(use_id)
        if stored is not None:
            table.drop(stored)

    def flush(self) -> None:
        """Store what the store has not heard of yet."""
        for noted in tuple(self._noted.values()):
            if not noted.stored:
                self._store(noted)


def shown(use: RoleUse | None, now: datetime, tracked: timedelta) -> dict[str, object]:
    """``RoleLastUsed``: empty when the role was not used within the tracked time."""
    if use is None or use.at < now - tracked:
        return {}
    return {"LastUsedDate": use.at.replace(microsecond=0), "Region": use.used_in}
