"""Which usage is covered by what was bought ahead, hour by hour. Pure.

Databases too, by reservations alone: of one engine and family, in one zone or (for twice the units) in two.

In each clock hour: zonal reservations, regional ones from the smallest size to the largest, plans of a family, plans
over everything (the greatest saving first, then the lowest rate); each first for its owner's usage, then for that of
the others who are billed together. Hours in which nothing changes are worked out once.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html
https://docs.aws.amazon.com/savingsplans/latest/userguide/sp-applying.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from cloudjar.billing.dimensions import factor, pool
from cloudjar.billing.lines import HOUR, seconds
from cloudjar.billing.measured import ZERO
from cloudjar.kit.commitments import COMPUTE_PLAN, FAMILY_PLAN, RESERVATION, Commitment
from cloudjar.spec.shares import plan_rate

RIGID = frozenset((
    "g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "gr6", "hpc7a", "inf1", "inf2", "p5", "u7i-12tb", "u7in-16tb",
    "u7in-24tb", "u7in-32tb",
))  # fmt: skip
"""Families whose regional reservations are for their own size alone."""
_HOUR = timedelta(hours=1)


class Use(NamedTuple):
    """Usage that can be covered. `row` are hours of it in each clock hour, `price` is on demand; `zone` is the id that
    everybody has for its zone. `spare` is room that is kept and not used: zonal reservations are not for it."""

    account: str
    payer: str
    region: str
    zone: str
    kind: str
    resource: str
    price: Decimal
    spare: bool
    row: Sequence[Decimal]


class Piece(NamedTuple):
    """In each hour of [first, last): hours of a use that a commitment covers, and what they take of it in dollars."""

    use: int
    deal: int
    first: int
    last: int
    quantity: Decimal
    worth: Decimal


def flexible(kind: str) -> bool:
    """Whether a regional reservation of a type is for all sizes of its family."""
    return bool(factor(kind)) and kind.partition(".")[0] not in RIGID


def until(deal: Commitment, now: datetime) -> datetime:
    """When a commitment ended, or that it is in force now."""
    return min(deal.stop or now, deal.terms.end, now)


def worth(deal: Commitment) -> Decimal:
    """Dollars that an hour of a commitment is worth, what was paid at once spread over the term."""
    terms = deal.terms
    if terms.kind != RESERVATION:
        return terms.commitment
    return terms.hourly + upfront(deal)


def upfront(deal: Commitment) -> Decimal:
    """Dollars of an hour that were paid at once."""
    return deal.terms.upfront * HOUR / deal.terms.seconds


class Covering:
    """One month (or day): `start` is a clock hour's, commitments count up to `now`."""

    def __init__(
        self,
        uses: Sequence[Use],
        deals: Sequence[Commitment],
        start: datetime,
        hours: int,
        now: datetime,
        payers: Sequence[str],
    ) -> None:
        self._uses, self._deals, self._payers = uses, deals, payers
        self._start, self._hours, self._now = start, hours, now
        self._reservations = list(self._reserved())
        self._plans = list(self._planned())

    def _reserved(self) -> Iterator[tuple[int, list[tuple[int, Decimal]]]]:
        """Each reservation and the uses that it is for, with what an hour of them takes: phase after phase."""
        mine = [i for i, deal in enumerate(self._deals) if deal.terms.kind == RESERVATION]
        mine.sort(key=lambda i: (self._deals[i].account, factor(self._deals[i].terms.type), self._deals[i].resource))
        for zonal in (True, False):
            for own in (True, False):
                for i in mine:
                    if bool(self._deals[i].terms.zone) == zonal:
                        yield i, self._matching(i, own)

    def _matching(self, number: int, own: bool) -> list[tuple[int, Decimal]]:
        deal, payer = self._deals[number], self._payers[number]
        terms = deal.terms
        one, family = Decimal(1), pool(terms.type)
        sizes = not terms.zone and flexible(terms.type)
        found = []
        for i, use in enumerate(self._uses):
            if use.payer != payer or (use.account == deal.account) != own or use.region != terms.region:
                continue
            if terms.zone and (use.zone != terms.zone or use.spare):
                continue
            if use.kind == terms.type or (sizes and pool(use.kind) == family and factor(use.kind)):
                found.append((i, factor(use.kind) if sizes else one))
        found.sort(key=lambda pair: (factor(self._uses[pair[0]].kind), *self._order(pair[0])))
        return found

    def _order(self, number: int) -> tuple[bool, str, str]:
        use = self._uses[number]
        return use.spare, use.account, use.resource

    def _planned(self) -> Iterator[list[tuple[int, int, Decimal]]]:
        """Pairs of plan and use with the rate, in the order in which they count: phase after phase."""
        for kind in (FAMILY_PLAN, COMPUTE_PLAN):
            for own in (True, False):
                pairs = []
                for i, deal in enumerate(self._deals):
                    if deal.terms.kind == kind:
                        pairs += [(i, j, rate) for j, rate in self._rated(i, own)]
                pairs.sort(key=lambda one: (one[2] / self._uses[one[1]].price, one[2], *self._order(one[1]), one[0]))
                yield pairs

    def _rated(self, number: int, own: bool) -> Iterator[tuple[int, Decimal]]:
        deal, payer = self._deals[number], self._payers[number]
        terms = deal.terms
        for i, use in enumerate(self._uses):
            if use.payer != payer or (use.account == deal.account) != own or use.kind.startswith("db."):
                continue  # databases have plans of their own, which are not sold here
            if terms.kind == FAMILY_PLAN and (use.region, use.kind.partition(".")[0]) != (terms.region, terms.type):
                continue
            rate = plan_rate(use.price, terms.share)
            if rate:
                yield i, rate

    def pieces(self, breaks: Iterable[int]) -> Iterator[Piece]:
        """What is covered; usage is the same in all hours between two of `breaks`."""
        edges = {0, self._hours, *breaks}
        for deal in self._deals:
            for moment in (deal.start, until(deal, self._now)):
                hour = (moment - self._start) // _HOUR
                edges |= {hour, hour + 1}
        inside = sorted(edge for edge in edges if 0 <= edge <= self._hours)
        for first, last in pairwise(inside):
            left = [use.row[first] for use in self._uses]
            if any(left):
                yield from self._hour(first, last, left)

    def share(self, deal: Commitment, hour: int) -> Decimal:
        """How much of an hour a commitment was in force: 0 to 1."""
        begin = self._start + hour * _HOUR
        length = min(begin + _HOUR, until(deal, self._now)) - max(begin, deal.start)
        return seconds(length) / HOUR if length > timedelta(0) else ZERO

    def _hour(self, first: int, last: int, left: list[Decimal]) -> Iterator[Piece]:
        """One hour like those up to `last`; `left` is what is not covered."""
        shares = [self.share(deal, first) for deal in self._deals]
        room: dict[int, Decimal] = {}
        for number, candidates in self._reservations:
            if not shares[number]:
                continue
            terms = self._deals[number].terms
            unit = factor(terms.type) if not terms.zone and flexible(terms.type) else Decimal(1)
            units = unit * terms.count
            each = worth(self._deals[number]) / units
            free = room.get(number, units * shares[number])
            for i, weight in candidates:
                if free and left[i]:
                    taken = min(left[i] * weight, free)
                    hours = left[i] if taken == left[i] * weight else taken / weight
                    left[i], free = left[i] - hours, free - taken
                    yield Piece(i, number, first, last, hours, taken * each)
            room[number] = free
        yield from self._by_plans(first, last, left, shares)

    def _by_plans(self, first: int, last: int, left: list[Decimal], shares: list[Decimal]) -> Iterator[Piece]:
        room = [deal.terms.commitment * share for deal, share in zip(self._deals, shares, strict=True)]
        for pairs in self._plans:
            for number, i, rate in pairs:
                if left[i] and room[number]:
                    dollars = min(left[i] * rate, room[number])
                    hours = left[i] if dollars == left[i] * rate else dollars / rate
                    left[i], room[number] = left[i] - hours, room[number] - dollars
                    yield Piece(i, number, first, last, hours, dollars)
