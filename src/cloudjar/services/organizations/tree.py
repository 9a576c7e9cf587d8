"""An organization as code sees it: who is in it, where, and what is attached to what."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from cloudjar.kit.db import Db
from cloudjar.services.organizations.managed import BY_ID
from cloudjar.services.organizations.records import Attachment, Member, Organization, Root, StoredPolicy, Unit

Node = Root | Unit | Member


class Org:
    """An organization and the tables of its management account."""

    def __init__(self, db: Db, record: Organization) -> None:
        self.record = record
        self.db = db.at(record.account, "")

    @property
    def id(self) -> str:
        """``o-...``"""
        return self.record.id

    @property
    def management(self) -> str:
        """The management account's number."""
        return self.record.account

    @property
    def has_all_features(self) -> bool:
        """False for consolidated billing alone."""
        return self.record.features == "ALL"

    @cached_property
    def root(self) -> Root:
        """The one root."""
        return self.db[Root].need(self.record.root)

    def node(self, id_: str) -> Node | None:
        """A root, OU or account of this organization by its id."""
        if id_.startswith("r-"):
            return self.db[Root].get(id_)
        if id_.startswith("ou-"):
            return self.db[Unit].get(id_)
        return self.db[Member].get(id_)

    def branch(self, node: Node) -> list[Node]:
        """The way from the root down to a node, both included."""
        way = [node]
        while not isinstance(way[-1], Root):
            parent = self.node(way[-1].parent)
            assert parent is not None, "a node without its parent"
            way.append(parent)
        return way[::-1]

    def path(self, node: Node) -> str:
        """``o-1/r-1/ou-1/``: the way down to a node."""
        return "/".join([self.id, *(step.id for step in self.branch(node))]) + "/"

    def members(self) -> list[Member]:
        """Every account, the management account among them."""
        return self.db[Member].all()

    def nodes(self) -> list[Node]:
        """Everything that a policy can be attached to."""
        return [self.root, *self.db[Unit].all(), *self.db[Member].all()]

    # -- policies
    def policy(self, id_: str) -> StoredPolicy | None:
        """A policy of the organization or one of AWS's own."""
        return BY_ID.get(id_) or self.db[StoredPolicy].get(id_)

    def attached(self, target: str, type_: str) -> list[StoredPolicy]:
        """The policies of a type that are attached to a node itself, in the order they were attached."""
        found = sorted(self.db[Attachment].all(target=target, type=type_), key=lambda a: (a.since, a.id))
        policies = (self.policy(attachment.policy) for attachment in found)
        return [policy for policy in policies if policy is not None]

    def attachment(self, policy: str, target: str) -> Attachment | None:
        """That a policy is attached to a node, or None."""
        return self.db[Attachment].get(f"{target}/{policy}")

    def attach(self, policy: StoredPolicy, target: str, now: datetime) -> None:
        """Attach a policy; what may be is the caller's business."""
        record = Attachment(id=f"{target}/{policy.id}", target=target, policy=policy.id, type=policy.type, since=now)
        if self.db[Attachment].get(record.id) is None:
            self.db[Attachment].add(record)

    def strip(self, target: str) -> None:
        """Detach whatever is attached to a node that goes away."""
        for attachment in self.db[Attachment].all(target=target):
            self.db[Attachment].drop(attachment)


def of_account(db: Db, account: str) -> tuple[Org, Member] | None:
    """The organization that an account is in, and its place there; None when it is in none."""
    member = db.find(Member, account)
    if member is None:
        return None
    record = db.at(member.account, "")[Organization].get(member.org)
    return None if record is None else (Org(db, record), member)
