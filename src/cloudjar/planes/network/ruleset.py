"""An nftables table as a value: written whole, or as the difference between two; pure text.

Both forms are one transaction of ``nft -f -``: the kernel takes all of it or nothing, and packets
see the old rules or the new ones, never a mixture.
"""

from __future__ import annotations

import msgspec


class NftSet(msgspec.Struct, frozen=True):
    """A set (`mapped` empty) or a map; `elements` are ``key`` or ``key : value`` pairs, unique by key."""

    name: str
    type: str
    elements: tuple[tuple[str, str], ...] = ()
    mapped: str = ""
    flags: str = ""
    extra: str = ""
    """Further statements of its declaration, each with its semicolon."""

    @property
    def kind(self) -> str:
        return "map" if self.mapped else "set"

    def declaration(self) -> str:
        """What stands between the braces when it is created empty."""
        kind = f"{self.type} : {self.mapped}" if self.mapped else self.type
        flags = f" flags {self.flags};" if self.flags else ""
        return f"type {kind};{flags}" + (f" {self.extra}" if self.extra else "")


class NftChain(msgspec.Struct, frozen=True):
    """A chain; `hook` is empty for one that is only jumped to."""

    name: str
    rules: tuple[str, ...] = ()
    hook: str = ""


class Ruleset(msgspec.Struct, frozen=True):
    """One table, whole. Sets and chains are unique by name."""

    table: str
    sets: tuple[NftSet, ...] = ()
    chains: tuple[NftChain, ...] = ()
    family: str = "inet"


def render(rules: Ruleset) -> str:
    """The table as text that replaces whatever the kernel holds under its name."""
    head = f"add table {rules.family} {rules.table}\ndelete table {rules.family} {rules.table}\n"
    lines = [f"table {rules.family} {rules.table} {{"]
    for s in rules.sets:
        lines += _set_lines(s)
    for c in rules.chains:
        lines.append(f"\tchain {c.name} {{")
        if c.hook:
            lines.append(f"\t\t{c.hook}")
        lines += [f"\t\t{rule}" for rule in c.rules]
        lines.append("\t}")
    return head + "\n".join([*lines, "}", ""])


def _set_lines(s: NftSet) -> list[str]:
    lines = [f"\t{s.kind} {s.name} {{", f"\t\t{s.declaration()}"]
    if s.elements:
        lines.append("\t\telements = {")
        lines += [f"\t\t\t{_element(e)}," for e in s.elements]
        lines.append("\t\t};")
    return [*lines, "\t}"]


def change(old: Ruleset, new: Ruleset) -> str:
    """The commands that turn `old` into `new`; empty when they are equal.

    New names come first and old names go last, so that no rule or element ever refers to nothing.
    """
    table = f"{new.family} {new.table}"
    old_sets, new_sets = {s.name: s for s in old.sets}, {s.name: s for s in new.sets}
    old_chains, new_chains = {c.name: c for c in old.chains}, {c.name: c for c in new.chains}
    remade = {
        name for name in old_sets.keys() & new_sets.keys()
        if old_sets[name].declaration() != new_sets[name].declaration()
    }
    rehooked = {
        name for name in old_chains.keys() & new_chains.keys() if old_chains[name].hook != new_chains[name].hook
    }
    if remade or rehooked:
        return render(new)
    out = [f"add chain {table} {n}{_hook(new_chains[n])}" for n in new_chains if n not in old_chains]
    out += [
        f"add {s.kind} {table} {s.name} {{ {s.declaration()} }}"
        for s in new_sets.values() if s.name not in old_sets
    ]
    out += [
        f"flush chain {table} {n}" for n, c in old_chains.items()
        if n not in new_chains or new_chains[n].rules != c.rules
    ]
    out += _element_changes(table, old_sets, new_sets)
    for name, chain in new_chains.items():
        if name not in old_chains or old_chains[name].rules != chain.rules:
            out += [f"add rule {table} {name} {rule}" for rule in chain.rules]
    out += [f"delete chain {table} {n}" for n in old_chains if n not in new_chains]
    out += [f"delete {s.kind} {table} {s.name}" for s in old_sets.values() if s.name not in new_sets]
    return "".join(f"{line}\n" for line in out)


def _element_changes(table: str, old: dict[str, NftSet], new: dict[str, NftSet]) -> list[str]:
    out = []
    for name, s in {**old, **new}.items():
        before = dict(old[name].elements) if name in old else {}
        after = dict(new[name].elements) if name in new else {}
        gone = [k for k, v in before.items() if after.get(k, None) != v]
        come = [(k, v) for k, v in after.items() if before.get(k, None) != v]
        if gone:
            out.append(f"delete element {table} {s.name} {{ {', '.join(gone)} }}")
        if come:
            out.append(f"add element {table} {s.name} {{ {', '.join(map(_element, come))} }}")
    return out


def _element(element: tuple[str, str]) -> str:
    key, value = element
    return f"{key} : {value}" if value else key


def _hook(chain: NftChain) -> str:
    return f" {{ {chain.hook} }}" if chain.hook else ""
