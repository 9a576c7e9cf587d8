"""Management policies: written with operators, inherited from the root down, merged to one effective policy. Pure.

Each level may assign, append to and remove from what the levels above made, as far as they left it to their children.
https://docs.aws.amazon.com/organizations/latest/userguide/policy-operators.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ASSIGN, APPEND, REMOVE = "@@assign", "@@append", "@@remove"
CONTROL = "@@operators_allowed_for_child_policies"
_SETTERS = frozenset((ASSIGN, APPEND, REMOVE))
_GRANTS = {"@@all": _SETTERS, "@@none": frozenset[str](), **{one: frozenset((one,)) for one in _SETTERS}}
TOP = {"TAG_POLICY": "tags", "BACKUP_POLICY": "plans", "AISERVICES_OPT_OUT_POLICY": "services"}
"""The one member that a policy of each type begins with."""

Path = tuple[str, ...]


class PolicyShapeError(ValueError):
    """A document that is no policy of its type."""


def check(kind: str, document: Any) -> None:
    """Refuse what is not built of the type's top member, objects and operators; raises `PolicyShapeError`."""
    if not isinstance(document, dict) or set(document) != {TOP[kind]}:
        raise PolicyShapeError(f"a policy of this type has one member, {TOP[kind]}")
    _check_node(document[TOP[kind]])


def _check_node(node: Any) -> None:
    if not isinstance(node, dict):
        raise PolicyShapeError("values are set by operators")
    for key, value in node.items():
        if key == CONTROL:
            if not isinstance(value, list) or not all(isinstance(v, str) and v in _GRANTS for v in value):
                raise PolicyShapeError(f"{CONTROL} lists operators")
        elif key in _SETTERS:
            _check_value(key, value)
        elif key.startswith("@@"):
            raise PolicyShapeError(f"there is no operator {key}")
        else:
            _check_node(value)
    if not _SETTERS.isdisjoint(node) and any(not key.startswith("@@") for key in node):
        raise PolicyShapeError("an object either holds members or sets a value")


def _check_value(operator: str, value: Any) -> None:
    if isinstance(value, str) and operator == ASSIGN:
        return
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise PolicyShapeError(f"{operator} takes text or a list of texts")


def merge(levels: Iterable[Iterable[dict[str, Any]]]) -> dict[str, Any]:
    """The effective policy of what is attached to each level from the root down; {} when nothing is."""
    effective: dict[str, Any] = {}
    rules: dict[Path, frozenset[str]] = {}
    for level in levels:
        narrowed: dict[Path, frozenset[str]] = {}
        for document in level:
            _apply(effective, document, (), rules, narrowed)
        for path, allowed in narrowed.items():
            rules[path] = allowed & rules.get(path, _SETTERS)
    return _pruned(effective)


def _allowed(path: Path, rules: dict[Path, frozenset[str]]) -> frozenset[str]:
    """What the nearest rule above leaves to children; everything when there is none."""
    for end in range(len(path), -1, -1):
        if path[:end] in rules:
            return rules[path[:end]]
    return _SETTERS


def _apply(
    into: dict[str, Any],
    node: dict[str, Any],
    path: Path,
    rules: dict[Path, frozenset[str]],
    narrowed: dict[Path, frozenset[str]],
) -> None:
    for key, value in node.items():
        if key == CONTROL:
            given = frozenset[str]().union(*(_GRANTS[v] for v in value))
            narrowed[path] = given & narrowed.get(path, _SETTERS)
            continue
        here = (*path, key)
        if _SETTERS.isdisjoint(value):
            below = into.setdefault(key, {})
            if isinstance(below, dict):
                _apply(below, value, here, rules, narrowed)
            continue
        allowed = _allowed(here, rules)
        for operator in (ASSIGN, APPEND, REMOVE):
            if operator in value and operator in allowed:
                into[key] = _set(operator, into.get(key), value[operator])
        if CONTROL in value:
            given = frozenset[str]().union(*(_GRANTS[v] for v in value[CONTROL]))
            narrowed[here] = given & narrowed.get(here, _SETTERS)


def _set(operator: str, before: Any, value: Any) -> Any:
    if operator == ASSIGN:
        return value
    have = before if isinstance(before, list) else [] if before is None or isinstance(before, dict) else [before]
    if operator == APPEND:
        return [*have, *(item for item in value if item not in have)]
    return [item for item in have if item not in value]


def _pruned(node: dict[str, Any]) -> dict[str, Any]:
    """Without members that hold nothing."""
    found = {}
    for key, value in node.items():
        kept = _pruned(value) if isinstance(value, dict) else value
        if kept != {}:
            found[key] = kept
    return found
