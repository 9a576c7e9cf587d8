"""Random passwords.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Any

from cloudjar.services.secretsmanager import errors

_TYPES = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}
_DEFAULT_LENGTH = 32


def make(req: Mapping[str, Any], below: Callable[[int], int]) -> str:
    """A password as the request asks; `below(n)` draws a uniform integer in [0, n)."""
    length = int(req.get("PasswordLength") or _DEFAULT_LENGTH)
    alphabets = _alphabets(req)
    every = "".join(alphabets)
    if not every:
        raise errors.invalid("The password can't be generated: every character type is excluded.")
    drawn: list[str] = []
    if req.get("RequireEachIncludedType", True):
        if any(not alphabet for alphabet in alphabets):
            raise errors.invalid("The password can't have each included type: all characters of one are excluded.")
        if length < len(alphabets):
            raise errors.invalid(f"Password length {length} is too short based on the required types.")
        drawn = [_one(alphabet, below) for alphabet in alphabets]
    drawn += [_one(every, below) for _ in range(length - len(drawn))]
    return "".join(_shuffled(drawn, below))


def _alphabets(req: Mapping[str, Any]) -> list[str]:
    """The included types, each without what is excluded from it."""
    included = [alphabet for member, alphabet in _TYPES.items() if not req.get(member)]
    if req.get("IncludeSpace"):
        included.append(" ")
    excluded = set(req.get("ExcludeCharacters") or "")
    return ["".join(c for c in alphabet if c not in excluded) for alphabet in included]


def _one(alphabet: str, below: Callable[[int], int]) -> str:
    return alphabet[below(len(alphabet))]


def _shuffled(items: list[str], below: Callable[[int], int]) -> list[str]:
    for i in range(len(items) - 1, 0, -1):
        j = below(i + 1)
        items[i], items[j] = items[j], items[i]
    return items
