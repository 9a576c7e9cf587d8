"""Whom a resource policy lets in from outside of a zone of trust, and whether that is everybody.

A zone is an account, or an organization with its accounts. Conditions count where they fix who the caller is or where
he comes from; others are only told. A Deny counts where it holds for everybody outside.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-concepts.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_network
from typing import NamedTuple

from cloudjar.base.caller import canonical_id
from cloudjar.policy.conditions import address, block
from cloudjar.policy.conditions.block import Condition
from cloudjar.policy.document import Document, Statement
from cloudjar.services.accessanalyzer.reach import globs
from cloudjar.services.accessanalyzer.reach.statements import actions_of, resources_of

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ACCOUNT_KEYS = frozenset(("aws:principalaccount", "aws:sourceaccount", "aws:sourceowner", "kms:calleraccount"))
_ARN_KEYS = frozenset(("aws:principalarn", "aws:sourcearn"))
_ORG_KEYS = frozenset(("aws:principalorgid", "aws:sourceorgid"))
_PATH_KEYS = frozenset(("aws:principalorgpaths", "aws:sourceorgpaths"))
_PLACES = frozenset(("aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"))
_FIXING = frozenset(("aws:userid", "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "lambda:eventsourcetoken"))
_WIDEST = {4: 8, 6: 32}
"""Networks wider than these many bits are taken for everybody's."""


class Zone(NamedTuple):
    """Who is trusted: the accounts, and the organization whose they are ("" for none)."""

    accounts: frozenset[str]
    organization: str = ""


class Outsider(NamedTuple):
    """Somebody outside whom a policy lets in. `condition` is what the statement asks, in the order of its keys."""

    kind: str
    """AWS, Federated or CanonicalUser."""
    name: str
    condition: tuple[tuple[str, str], ...]
    public: bool


Reached = dict[Outsider, set[str]]
"""Outsiders and the action patterns that they may use."""


def outsiders(document: Document, zone: Zone) -> Reached:
    """Whom a policy lets in from outside."""
    found: Reached = {}
    for statement in document.statements:
        if not statement.allows or statement.principals is None:
            continue
        if not all(_admits(condition, zone) for condition in statement.conditions):
            continue
        actions = _left(document, statement, zone)
        if not actions:
            continue
        condition = tuple(sorted((c.key, ",".join(c.values)) for c in statement.conditions))
        for kind, name in _strangers(statement, zone):
            public = name == "*" and not any(_narrows(c) for c in statement.conditions)
            found.setdefault(Outsider(kind, name, condition, public), set()).update(actions)
    return found


@lru_cache(maxsize=8192)
def known_outsiders(document: Document, zone: Zone) -> tuple[tuple[Outsider, tuple[str, ...]], ...]:
    """The same, remembered: most policies have not changed since they were last looked at."""
    return tuple((who, tuple(sorted(actions))) for who, actions in outsiders(document, zone).items())


def public_statements(document: Document) -> list[Statement]:
    """The statements that let everybody in."""
    nobody = Zone(frozenset())
    return [
        s
        for s in document.statements
        if s.allows
        and s.principals is not None
        and (s.principals.everyone or s.negates_principals)
        and not any(_narrows(c) for c in s.conditions)
        and _left(document, s, nobody)
    ]


# Principals -----------------------------------------------------------------------------------------


def _strangers(statement: Statement, zone: Zone) -> Iterable[tuple[str, str]]:
    """The principals outside; services of AWS are nobody's outsiders."""
    who = statement.principals
    assert who is not None
    if who.everyone or statement.negates_principals:
        yield "AWS", "*"
        return
    for account in sorted(who.accounts - zone.accounts):
        yield "AWS", account
    for name in sorted(who.names):
        if account_of(name) not in zone.accounts:
            yield "AWS", name
    for provider in sorted(who.federated):
        yield "Federated", provider
    for canonical in sorted(who.canonical - {canonical_id(account) for account in zone.accounts}):
        yield "CanonicalUser", canonical


def account_of(arn: str) -> str:
    """The account field of an ARN; "" when there is none."""
    fields = arn.split(":", 5)
    return fields[4] if len(fields) == 6 else ""


# Conditions -----------------------------------------------------------------------------------------


def _positive(condition: Condition) -> block.Spelling | None:
    """The operator, if the condition holds only for requests that have the key with one of the values."""
    spelled = block.spell(condition.operator)
    if spelled is None or spelled.base == "null" or spelled.if_exists or spelled.over == "forallvalues":
        return None
    return None if block.OPERATORS[spelled.base].negated else spelled


def _admits(condition: Condition, zone: Zone) -> bool:
    """Whether a condition may hold for somebody outside."""
    if _positive(condition) is None or not condition.values:
        return True
    return not all(_inside(condition.key, value, zone) for value in condition.values)


def _inside(key: str, value: str, zone: Zone) -> bool:
    """Whether who has this value of a key is trusted."""
    if key in _ACCOUNT_KEYS:
        return value in zone.accounts
    if key in _ARN_KEYS:
        return account_of(value) in zone.accounts
    if key in _ORG_KEYS:
        return bool(zone.organization) and value == zone.organization
    if key in _PATH_KEYS:
        return bool(zone.organization) and value.startswith(f"{zone.organization}/")
    return False


def _narrows(condition: Condition) -> bool:
    """Whether a condition keeps the public out, whoever it lets in."""
    if _positive(condition) is None or not condition.values:
        return False
    key = condition.key
    if key in ("aws:sourceip", "aws:vpcsourceip"):
        return not any(_is_wide(value) for value in condition.values)
    fixed = all(not set(value) & set("*?") and "${" not in value for value in condition.values)
    if key in _ACCOUNT_KEYS | _ORG_KEYS | _PLACES | _FIXING:
        return fixed
    if key in _ARN_KEYS:
        return all(_ACCOUNT.fullmatch(account_of(value)) or _names_bucket(value) for value in condition.values)
    return key in _PATH_KEYS and all(not value.startswith(("*", "?")) for value in condition.values)


def _names_bucket(value: str) -> bool:
    return value.startswith("arn:aws:s3:::") and not set(value[13:]) & set("*?")


def _is_wide(text: str) -> bool:
    if address.network(text) is None:
        return True
    network = ip_network(text, strict=False)
    return network.prefixlen < _WIDEST[network.version]


# Denies ---------------------------------------------------------------------------------------------


def _left(document: Document, statement: Statement, zone: Zone) -> set[str]:
    """The action patterns of a statement that no Deny takes from everybody outside."""
    denies = [s for s in document.statements if not s.allows and _shuts_outsiders(s, zone)]
    texts = ("*",) if statement.negates_actions else statement.actions.texts
    resources = resources_of(statement).globs
    return {
        text
        for text in texts
        if not any(
            actions_of(deny).covers(globs.action(text)) and all(resources_of(deny).covers(r) for r in resources)
            for deny in denies
        )
    }


def _shuts_outsiders(deny: Statement, zone: Zone) -> bool:
    """Whether a Deny holds for everybody outside: without conditions, or with ones that only the zone escapes."""
    if deny.principals is None or not deny.principals.everyone or deny.negates_principals:
        return False
    return all(_holds_outside(condition, zone) for condition in deny.conditions)


def _holds_outside(condition: Condition, zone: Zone) -> bool:
    spelled = block.spell(condition.operator)
    if spelled is None or spelled.base == "null" or spelled.over or not condition.values:
        return False
    if not block.OPERATORS[spelled.base].negated or spelled.if_exists:
        return False
    return all(_inside(condition.key, value, zone) for value in condition.values)


def shown(actions: Sequence[str]) -> list[str]:
    """Action patterns without those that another one covers."""
    wide = [a for a in actions if "*" in a or "?" in a]
    return [
        a for a in actions if not any(w != a and globs.covers(globs.action(w), globs.action(a)) for w in wide)
    ]
