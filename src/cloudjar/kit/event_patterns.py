"""EventBridge's event patterns: read, refused, matched. Pure.

A pattern is a tree of keys whose leaves are lists of alternatives; each key must match, of a list any one. What is held
against it is an event's scalar values: of an array any element may match, and keys that lie in the same object of an
array must match in the same one. Operators work on leaves alone; `exists: false` looks at the whole event.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

from cloudjar.kit import event_operators
from cloudjar.kit.event_json import Node, PlaceError, parse, where
from cloudjar.kit.event_operators import RESERVED, OperatorError, Test

OR = "$or"
_COMBINATIONS = 1000
_KEYS = 64
Key = tuple[str | None, str | None]
Path = tuple[str, ...]


class PatternError(ValueError):
    """The pattern is none; the message says why, with the place in it."""


class _Leaf(NamedTuple):
    """The alternatives of one field."""

    path: Path
    texts: frozenset[str]
    numbers: frozenset[float]
    words: tuple[bool | None, ...]
    tests: tuple[Test, ...]
    absent: bool

    def matches(self, have: Any, event: Any) -> bool:
        """Whether one of the values of a field (its scalars) is one of these."""
        for value in _scalars(have):
            if isinstance(value, str):
                if value in self.texts:
                    return True
            elif value is None or isinstance(value, bool):
                if any(value is one for one in self.words):
                    return True
            elif value in self.numbers:
                return True
            if any(test(value) for test in self.tests):
                return True
        return self.absent and not _has(event, self.path)

    @property
    def exact(self) -> frozenset[str] | None:
        """The texts that it can be, when it can be nothing else."""
        return None if self.numbers or self.words or self.tests or self.absent else self.texts


class _Tree(NamedTuple):
    """What an object has to have; of each of `choices` any one."""

    leaves: tuple[tuple[str, _Leaf], ...]
    trees: tuple[tuple[str, _Tree], ...]
    choices: tuple[tuple[_Tree, ...], ...]

    def matches(self, have: Any, event: Any) -> bool:
        """Whether a value, or an element of it, has all that."""
        if isinstance(have, list):
            return any(self.matches(one, event) for one in have) or (not have and self.matches({}, event))
        data: Mapping[str, Any] = have if isinstance(have, dict) else {}
        return (
            all(leaf.matches(data.get(name, ()), event) for name, leaf in self.leaves)
            and all(tree.matches(data.get(name), event) for name, tree in self.trees)
            and all(any(tree.matches(data, event) for tree in choice) for choice in self.choices)
        )


def _scalars(have: Any) -> Iterator[Any]:
    if isinstance(have, (list, tuple)):
        for one in have:
            yield from _scalars(one)
    elif not isinstance(have, dict):
        yield have


def _has(have: Any, path: Path) -> bool:
    """Whether an event has a scalar at a path, in whatever element of whatever array."""
    if isinstance(have, list):
        return any(_has(one, path) for one in have)
    if not path:
        return not isinstance(have, dict)
    return isinstance(have, dict) and path[0] in have and _has(have[path[0]], path[1:])


class Pattern:
    """A pattern that was read; see `read`."""

    __slots__ = ("_tree",)

    def __init__(self, tree: _Tree) -> None:
        self._tree = tree

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether an event (JSON values) is one that is meant."""
        return self._tree.matches(dict(event) if not isinstance(event, dict) else event, event)

    def places(self) -> Iterable[Key]:
        """(source, detail-type) of the events that it can mean; None stands for any. See `keys_of`."""
        known = dict(self._tree.leaves)
        sources, kinds = _exact(known.get("source")), _exact(known.get("detail-type"))
        if len(sources) * len(kinds) > _KEYS:
            kinds = (None,)
        return tuple(product(sources, kinds))


def _exact(leaf: _Leaf | None) -> tuple[str | None, ...]:
    found = leaf.exact if leaf is not None else None
    return (None,) if found is None else tuple(sorted(found))


def keys_of(source: str, detail_type: str) -> tuple[Key, ...]:
    """The keys (`Pattern.places`) under which patterns lie that can mean an event: all others need not be asked."""
    return ((source, detail_type), (source, None), (None, detail_type), (None, None))


def read(text: str) -> Pattern:
    """A pattern from its JSON; raises `PatternError`."""
    try:
        node = parse(text)
    except PlaceError as error:
        raise PatternError(str(error)) from None
    if not isinstance(node.value, dict):
        raise PatternError("Filter is not an object" + where(text, node.at))
    return Pattern(_Compiler(text).whole(node))


class _Compiler:
    def __init__(self, text: str) -> None:
        self._text = text

    def whole(self, node: Node) -> _Tree:
        tree, combinations = self._tree(node, (), reserved=False)
        if combinations > _COMBINATIONS:
            raise PatternError(f"The number of combinations of {OR} is larger than {_COMBINATIONS}")
        return tree

    def _fail(self, why: str, at: int) -> PatternError:
        return PatternError(why + where(self._text, at))

    def _tree(self, node: Node, path: Path, *, reserved: bool) -> tuple[_Tree, int]:
        """The tree of an object, and into how many without choices it would fall."""
        leaves: list[tuple[str, _Leaf]] = []
        trees: list[tuple[str, _Tree]] = []
        choices: list[tuple[_Tree, ...]] = []
        combinations = 1
        assert isinstance(node.value, dict)
        if not node.value:
            raise self._fail("Empty objects are not allowed", node.end + 1)
        for name, field in node.value.items():
            if name == OR and self._is_choice(field):
                branches = self._choice(field, path)
                choices.append(tuple(tree for tree, _ in branches))
                combinations *= sum(count for _, count in branches)
            elif reserved and name in RESERVED:
                raise self._fail(f"{name} is Ruler reserved fieldName which cannot be used inside {OR}.", field.at)
            elif isinstance(field.value, dict):
                tree, count = self._tree(field, (*path, name), reserved=reserved)
                trees.append((name, tree))
                combinations *= count
            elif isinstance(field.value, list):
                leaves.append((name, self._leaf(field, (*path, name))))
            else:
                raise self._fail(f'"{name}" must be an object or an array', field.at)
        return _Tree(tuple(leaves), tuple(trees), tuple(choices)), combinations

    @staticmethod
    def _is_choice(node: Node) -> bool:
        """Older patterns may have a field of this name, with values like any other."""
        if not isinstance(node.value, list) or len(node.value) < 2:
            return False
        return all(isinstance(one.value, dict) and one.value and not RESERVED & set(one.value) for one in node.value)

    def _choice(self, node: Node, path: Path) -> list[tuple[_Tree, int]]:
        assert isinstance(node.value, list)
        return [self._tree(one, path, reserved=True) for one in node.value]

    def _leaf(self, node: Node, path: Path) -> _Leaf:
        assert isinstance(node.value, list)
        if not node.value:
            raise self._fail("Empty arrays are not allowed", node.end + 1)
        texts: set[str] = set()
        numbers: set[float] = set()
        words: list[bool | None] = []
        tests: list[Callable[[Any], bool]] = []
        absent = False
        for one in node.value:
            if isinstance(one.value, list):
                raise self._fail("Match value must be String, number, true, false, or null", one.at)
            if isinstance(one.value, dict):
                test = self._operator(one)
                absent = absent or test is event_operators.ABSENT
                if test is not event_operators.ABSENT:
                    tests.append(test)
            elif isinstance(one.value, str):
                texts.add(one.value)
            elif one.value is None or isinstance(one.value, bool):
                words.append(one.value)
            else:
                numbers.add(one.value)
        return _Leaf(path, frozenset(texts), frozenset(numbers), tuple(words), tuple(tests), absent)

    def _operator(self, node: Node) -> Test:
        try:
            return event_operators.compiled(node)
        except OperatorError as error:
            raise self._fail(str(error), error.at) if error.at else PatternError(str(error)) from None
