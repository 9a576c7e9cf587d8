"""A running month's covered usage: the days that are over are worked out once, and remembered until one more is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta

from cloudjar.billing import covered
from cloudjar.billing.covered import Split
from cloudjar.billing.measured import Grid, Labels, Rows
from cloudjar.kit.commitments import Commitment
from cloudjar.kit.usage import Span

DAY = timedelta(days=1)


class Splits:
    """The one month that runs."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._past = Split({}, [])

    def month(
        self,
        rows: Rows,
        spans: Sequence[Span],
        deals: Sequence[Commitment],
        grid: Grid,
        labels: Labels,
        payer: Callable[[str], str],
        *,
        disturbed: int,
    ) -> Split:
        """What is covered in a month by the day. Late usage (`disturbed` tells), plans that were given back and
        accounts that another pays for now change days that are over."""
        done = (grid.now - grid.start) // DAY
        midnight = grid.start + done * DAY
        accounts = {span.account for span in spans} | {deal.account for deal in deals}
        payers = tuple(sorted((account, payer(account)) for account in accounts))
        key = (grid.start, done, disturbed, payers, tuple(_known(deal, midnight) for deal in deals))
        if key != self._key:
            before = [span if span.end is not None else span._replace(end=grid.now) for span in spans]
            over = Grid(grid.start, grid.step, done, midnight)
            bought = [deal for deal in deals if deal.start < midnight]
            self._past = covered.split(before, bought, over, labels, payer)
            self._key = key
        later = [span for span in spans if span.end is None or span.end >= midnight]
        held = [deal for deal in deals if deal.stop is None or deal.stop > midnight]
        today = covered.split(later, held, Grid(midnight, grid.step, 1, grid.now), labels, payer)
        return covered.joined(self._past, today, rows, done, grid.steps)


def _known(deal: Commitment, midnight: datetime) -> Hashable:
    """What of a commitment is about days that are over."""
    if deal.start >= midnight:
        return None
    stop = deal.stop if deal.stop is not None and deal.stop < midnight else None
    return deal.terms.arn, deal.start, stop, deal.terms.returned
