"""An authorisation as it is kept and as it is told: plain data that survives JSON, and lines for a terminal."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from cloudjar.policy.evaluate import AccessRequest, PolicySet
from cloudjar.policy.explain import Check, LayerTrace, PolicyTrace, StatementTrace, Trace, blame, caller, explain
from cloudjar.policy.grammar import Flavour
from cloudjar.policy.remedy import Near, Remedy, remedy

WIDTH = 100
_LISTED = 6
"""So many values of an element are shown."""
_STOPPERS = {
    Flavour.SCP: "No policy inside the account can give what its organization does not. ",
    Flavour.RCP: "No policy can give what the resource's organization does not. ",
    Flavour.BOUNDARY: "An identity-based policy alone does not help: a permissions boundary limits it. ",
    Flavour.SESSION: "An identity-based policy alone does not help: the session was narrowed when it was made. ",
    Flavour.ENDPOINT: "A policy of the caller does not help: the VPC endpoint does not let this through. ",
}


class Grounds(msgspec.Struct, frozen=True, omit_defaults=True):
    """A statement that decided."""

    layer: Flavour
    policy: str
    statement: str


class Account(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One question of a call and how it was decided.

    `verdict` is ``allowed``, ``explicitDeny`` or ``implicitDeny``; `because` AWS's words for a refusal, or why no
    policy was needed. `grounds` are the statements that decided. A refusal also has every layer as it was looked at,
    the condition keys that statements asked for (`missing`: not in the request), and what would help.
    """

    action: str
    resource: str
    verdict: str
    because: str = ""
    grounds: tuple[Grounds, ...] = ()
    layers: tuple[LayerTrace, ...] = ()
    keys: Mapping[str, str | tuple[str, ...]] = {}
    missing: tuple[str, ...] = ()
    remedy: Remedy | None = None


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """The authorisation of a call: every question that was decided, up to the first refusal."""

    caller: str
    accounts: tuple[Account, ...]


def account(request: AccessRequest, policies: PolicySet, *, whole: bool = False) -> Account:
    """One question, explained in full."""
    trace = explain(request, policies, whole=whole)
    return of_trace(trace, remedy(request, policies, trace))


def of_trace(trace: Trace, helps: Remedy) -> Account:
    """The plain form of a trace."""
    request, decision = trace.request, trace.decision
    return Account(
        action=request.action,
        resource=request.resource,
        verdict=decision.reason.value,
        because="" if decision.allowed else blame(request, decision),
        grounds=tuple(
            Grounds(m.layer, m.policy.arn or m.policy.name, label(m.statement.sid, m.statement.index))
            for m in decision.matches
        ),
        layers=trace.layers,
        keys={key: value if isinstance(value, str) else tuple(value) for key, value in trace.keys.items()},
        missing=trace.missing,
        remedy=None if decision.allowed else helps,
    )


def label(sid: str, index: int) -> str:
    """``statement 2 Late``; statements are counted from 1."""
    return f"statement {index + 1}" + (f" {sid}" if sid else "")


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Told)


def written(told: Told) -> str:
    """The kept form."""
    return _encode(told).decode()


def read(text: str) -> Told | None:
    """A kept form, None when it is not one."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return None


# Lines -----------------------------------------------------------------------------------------------


def lines(told: Told) -> Iterator[str]:
    """The whole for a terminal of 100 columns (values that cannot be broken may be longer)."""
    for number, one in enumerate(told.accounts):
        if number:
            yield ""
        yield from _account(told.caller, one)


def render(trace: Trace) -> str:
    """One trace for a person."""
    return "\n".join(lines(Told(caller(trace.request), (of_trace(trace, Remedy()),))))


def _account(who: str, one: Account) -> Iterator[str]:
    yield f"{'ALLOWED' if one.verdict == 'allowed' else 'DENIED'}  {one.action}"
    yield from _item("  on  ", one.resource)
    yield from _item("  to  ", who)
    if one.because:
        yield from _item("  ", one.because)
    for grounds in one.grounds:
        yield from _item("  ", f"decided by {grounds.layer.value} {grounds.policy}, {grounds.statement}")
    for number, layer in enumerate(one.layers, 1):
        yield ""
        yield from _layer(number, layer)
    if one.keys or one.missing:
        yield ""
        yield "Condition keys that the statements ask for"
        width = max(map(len, (*one.keys, *one.missing)))
        for key, value in one.keys.items():
            shown = value if isinstance(value, str) else ", ".join(value)
            yield from _item(f"  {key.ljust(width)}  ", shown)
        for key in one.missing:
            yield f"  {key.ljust(width)}  (not in the request)"
    if one.remedy is not None:
        yield from _remedy(one.remedy)


def _layer(number: int, layer: LayerTrace) -> Iterator[str]:
    note = f" ({layer.note})" if layer.note else ""
    yield f"{number}. {layer.layer.value}{note}: {layer.verdict}"
    for policy in layer.policies:
        yield from _policy(policy)


def _policy(policy: PolicyTrace) -> Iterator[str]:
    named = f"{policy.name} ({policy.arn})" if policy.name and policy.arn else policy.name or policy.arn or "(unnamed)"
    yield from _item("   ", named)
    for statement in policy.statements:
        yield from _statement(statement)
    if policy.others:
        more = "further " if policy.statements else ""
        yield f"     {policy.others} {more}statements are about other actions"


def _statement(statement: StatementTrace) -> Iterator[str]:
    head = f"     {label(statement.sid, statement.index)}  {statement.effect}  "
    if statement.matched:
        yield from _item(head, "matches" + (f": {statement.held}" if statement.held else ""))
        for check in statement.checks:
            if check.element == "Condition":
                yield from _item("       holds  ", _said(check))
        return
    yield f"{head}does not match"
    failing = [check for check in statement.checks if not check.holds]
    elsewhere = next((c for c in failing if c.element in ("Action", "NotAction")), None)
    for check in [elsewhere] if elsewhere is not None else failing:
        yield from _item("       fails  ", _said(check))


def _said(check: Check) -> str:
    wanted = _some(check.wanted)
    if check.element == "Condition":
        found = "is not in the request" if check.found is None else f"is {_some(check.found)}"
        return f"Condition {check.operator} {check.key} [{wanted}]: the key {found}"
    found = ", ".join(check.found or ())
    if check.element.startswith("Not"):
        return f"{check.element} lists {found}: {wanted}" if not check.holds else f"{check.element} spares {found}"
    return f"{check.element} {found} is not like {wanted}"


def _some(values: Sequence[str]) -> str:
    if len(values) <= _LISTED:
        return ", ".join(values) or "nothing"
    return f"{', '.join(values[:_LISTED])} and {len(values) - _LISTED} more"


def _remedy(helps: Remedy) -> Iterator[str]:
    if helps.obstacles:
        yield ""
        yield "No allow helps: an explicit deny has the last word. In the way"
        for obstacle in helps.obstacles:
            yield from _item("  ", f"{obstacle.layer.value} {obstacle.policy}, {obstacle.statement}")
    for number, addition in enumerate(helps.additions):
        yield ""
        stopper = "" if number else _STOPPERS.get(addition.layer, "")
        opening = "And" if number else "The smallest statement that would allow it"
        yield from _item("", f"{stopper}{opening}, in {addition.where}:")
        yield from textwrap.indent(json.dumps(addition.statement, indent=2), "  ").splitlines()
    if helps.near:
        yield ""
        yield "Statements that fail on one element only"
        for near in helps.near:
            yield from _near(near)


def _near(near: Near) -> Iterator[str]:
    yield from _item("  ", f"{near.policy}, {near.statement}")
    yield from _item("    fails  ", _said(near.check))


def _item(head: str, text: str) -> Iterator[str]:
    """Text behind a head, broken at blanks within the width, and continued below its beginning."""
    indent = " " * min(len(head), 14)
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [head]
