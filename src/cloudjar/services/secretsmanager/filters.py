"""ListSecrets' filters: prefixes, with ! for what must not be. Pure.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/manage_search-secret.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cloudjar.services.secretsmanager import errors
from cloudjar.services.secretsmanager.records import Secret

_TEXTS: dict[str, Callable[[Secret], Iterable[str]]] = {
    "name": lambda secret: (secret.name,),
    "description": lambda secret: (secret.description.lower(),),
    "tag-key": lambda secret: secret.tags,
    "tag-value": lambda secret: secret.tags.values(),
    "primary-region": lambda secret: (secret.primary_region or secret.region,),
    "owning-service": lambda secret: (),
}
_FOLDED = frozenset(("description", "all"))


def admits(filters: Iterable[Mapping[str, Any]], secret: Secret) -> bool:
    """Whether every filter admits the secret: one of its values begins so, and none that is negated does."""
    return all(_admits(one["Key"], one["Values"], secret) for one in filters)


def check(filters: Iterable[Mapping[str, Any]]) -> None:
    """Raise for filters without key or values, which the model lets pass."""
    for one in filters:
        if not one.get("Key") or not one.get("Values"):
            raise errors.invalid("Each filter must have a Key and Values.")


def _admits(key: str, values: Iterable[str], secret: Secret) -> bool:
    wanted = [value for value in values if not value.startswith("!")]
    unwanted = [value[1:] for value in values if value.startswith("!")]
    if any(_matches(key, value, secret) for value in unwanted):
        return False
    return not wanted or any(_matches(key, value, secret) for value in wanted)


def _matches(key: str, value: str, secret: Secret) -> bool:
    if key in _FOLDED:
        value = value.lower()
    if key == "all":
        words = value.split()
        return all(_anywhere(word, secret) for word in words)
    return any(text.startswith(value) for text in _TEXTS[key](secret))


def _anywhere(word: str, secret: Secret) -> bool:
    texts = [text.lower() for read in _TEXTS.values() for text in read(secret)]
    return any(part.startswith(word) for text in texts for part in (text, *text.split()))
