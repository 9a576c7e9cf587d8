"""The columns of reports about what was bought ahead: reservations, savings plans, how usage was paid for.

https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-reservation.html
https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-savings-plan.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from cloudjar.billing import dimensions
from cloudjar.billing.covering import upfront, worth
from cloudjar.billing.measured import COVERED, FEE, NEGATION, PLAN_FEE, RESERVED, RI_FEE, USAGE, ZERO
from cloudjar.billing.report_rows import Column, Used, Value
from cloudjar.kit.commitments import FAMILY_PLAN, RESERVATION, Commitment
from cloudjar.spec import regions

_YEAR = 31_536_000
_FORM = "%Y-%m-%dT%H:%M:%S.000Z"
Read = Callable[[Used, Commitment], Value]


def _about(kinds: str, read: Read, *lines: str) -> Callable[[Used], Value]:
    """Of lines of some kinds that belong to a reservation ("RI") or a plan ("SP"); None of others."""

    def value(one: Used) -> Value:
        deal = one.deal
        if deal is None or (deal.terms.kind == RESERVATION) != (kinds == "RI"):
            return None
        if lines and one.line.kind not in lines:
            return None
        return read(one, deal)

    return value


def _hours(one: Used, deal: Commitment) -> Decimal:
    """Hours of the term that a fee is for."""
    return one.usage / deal.terms.count


def _ahead(deal: Commitment) -> Decimal:
    """The part of what a commitment is worth that was paid at once."""
    return upfront(deal) / worth(deal)


def _unused(one: Used, deal: Commitment) -> Decimal:
    """Hours of instances that covered nothing."""
    return one.amortized * deal.terms.count / worth(deal)


def _size(deal: Commitment) -> Decimal:
    return dimensions.factor(deal.terms.type)


def _place(deal: Commitment) -> str:
    zone = regions.zone(deal.terms.zone, deal.account) if deal.terms.zone else None
    return zone.name if zone is not None else deal.terms.region


def _instant(moment: datetime) -> str:
    return moment.strftime(_FORM)


RESERVATION_COLUMNS: Mapping[str, Column] = {
    "reservation_amortized_upfront_cost_for_usage": (
        "double", _about("RI", lambda one, deal: one.amortized * _ahead(deal), RESERVED)),
    "reservation_amortized_upfront_fee_for_billing_period": (
        "double", _about("RI", lambda one, deal: upfront(deal) * _hours(one, deal), RI_FEE)),
    "reservation_availability_zone": ("string", _about("RI", lambda _, deal: _place(deal), RI_FEE, FEE)),
    "reservation_effective_cost": ("double", _about("RI", lambda one, _: one.amortized, RESERVED)),
    "reservation_end_time": ("string", _about("RI", lambda _, deal: _instant(deal.terms.end), RI_FEE, FEE)),
    "reservation_normalized_units_per_reservation": (
        "string", _about("RI", lambda one, deal: f"{_hours(one, deal) * _size(deal):f}", RI_FEE)),
    "reservation_number_of_reservations": ("string", _about("RI", lambda _, deal: str(deal.terms.count), RI_FEE, FEE)),
    "reservation_recurring_fee_for_usage": (
        "double", _about("RI", lambda one, deal: one.amortized * (1 - _ahead(deal)), RESERVED)),
    "reservation_reservation_a_r_n": ("string", _about("RI", lambda _, deal: deal.terms.arn)),
    "reservation_start_time": ("string", _about("RI", lambda _, deal: _instant(deal.terms.start), RI_FEE, FEE)),
    "reservation_total_reserved_normalized_units": (
        "string", _about("RI", lambda one, deal: f"{one.usage * _size(deal):f}", RI_FEE)),
    "reservation_total_reserved_units": ("string", _about("RI", lambda one, _: f"{one.usage:f}", RI_FEE)),
    "reservation_units_per_reservation": ("string", _about("RI", lambda one, deal: f"{_hours(one, deal):f}", RI_FEE)),
    "reservation_unused_amortized_upfront_fee_for_billing_period": (
        "double", _about("RI", lambda one, deal: one.amortized * _ahead(deal), RI_FEE)),
    "reservation_unused_normalized_unit_quantity": (
        "double", _about("RI", lambda one, deal: _unused(one, deal) * _size(deal), RI_FEE)),
    "reservation_unused_quantity": ("double", _about("RI", _unused, RI_FEE)),
    "reservation_unused_recurring_fee": (
        "double", _about("RI", lambda one, deal: one.amortized * (1 - _ahead(deal)), RI_FEE)),
    "reservation_upfront_value": ("double", _about("RI", lambda _, deal: deal.terms.due, RI_FEE, FEE)),
}  # fmt: skip

PLAN_COLUMNS: Mapping[str, Column] = {
    "savings_plan_amortized_upfront_commitment_for_billing_period": (
        "double", _about("SP", lambda one, deal: upfront(deal) * _hours(one, deal), PLAN_FEE)),
    "savings_plan_end_time": ("string", _about("SP", lambda _, deal: _instant(deal.terms.end))),
    "savings_plan_instance_type_family": ("string", _about("SP", lambda _, deal: deal.terms.type or None)),
    "savings_plan_offering_type": ("string", _about("SP", lambda _, deal: f"{deal.terms.kind}SavingsPlans")),
    "savings_plan_payment_option": ("string", _about("SP", lambda _, deal: deal.terms.option)),
    "savings_plan_purchase_term": ("string", _about("SP", lambda _, deal: _term(deal))),
    "savings_plan_recurring_commitment_for_billing_period": (
        "double", _about("SP", lambda one, _: one.cost, PLAN_FEE)),
    "savings_plan_region": ("string", _about("SP", lambda _, deal: deal.terms.region or "Any")),
    "savings_plan_savings_plan_a_r_n": ("string", _about("SP", lambda _, deal: deal.terms.arn)),
    "savings_plan_savings_plan_effective_cost": ("double", _about("SP", lambda one, _: one.amortized, COVERED)),
    "savings_plan_savings_plan_rate": (
        "double", _about("SP", lambda one, _: one.amortized / one.usage if one.usage else None, COVERED)),
    "savings_plan_start_time": ("string", _about("SP", lambda _, deal: _instant(deal.terms.start))),
    "savings_plan_total_commitment_to_date": (
        "double", _about("SP", lambda one, deal: deal.terms.commitment * one.usage, PLAN_FEE)),
    "savings_plan_used_commitment": (
        "double", _about("SP", lambda one, deal: deal.terms.commitment * one.usage - one.amortized, PLAN_FEE)),
}  # fmt: skip


def _term(deal: Commitment) -> str:
    return f"{deal.terms.seconds // _YEAR}yr"


def _paid(one: Used) -> str | None:
    """Whether usage was paid for on demand, ahead, or at spot prices."""
    if one.line.kind in (RESERVED, RI_FEE, FEE):
        return "Reserved"
    if one.line.kind not in (USAGE, COVERED, NEGATION):
        return None
    return "Spot" if one.line.usage_type.startswith("SpotUsage") else "OnDemand"


def _normalization(one: Used) -> Decimal | None:
    return dimensions.normalized(one.line) or None


LINE_COLUMNS: Mapping[str, Column] = {
    "line_item_availability_zone": ("string", lambda one: one.line.zone or None),
    "line_item_normalization_factor": ("double", _normalization),
    "line_item_normalized_usage_amount": ("double", lambda one: dimensions.normalized(one.line) * one.usage or None),
    "pricing_lease_contract_length": ("string", _about("RI", lambda _, deal: _term(deal))),
    "pricing_offering_class": ("string", _about("RI", lambda _, deal: deal.terms.cls)),
    "pricing_purchase_option": ("string", _about("RI", lambda _, deal: deal.terms.option)),
    "pricing_term": ("string", _paid),
}  # fmt: skip


def focus(rows: Iterable[Used]) -> Iterator[Used]:
    """Rows as FOCUS has them: usage under a plan is billed nothing, and what of a fee covered nothing is usage of its
    own beside the purchase."""
    for one in rows:
        kind, deal = one.line.kind, one.deal
        if kind == COVERED:
            yield one._replace(cost=ZERO)
        elif deal is not None and kind in (RI_FEE, PLAN_FEE) and not deal.terms.returned:
            if one.cost:
                yield one._replace(amortized=ZERO)
            if one.amortized:
                yield one._replace(cost=ZERO, blended=ZERO, usage=ZERO, unused=True)
        elif kind != NEGATION:
            yield one


def _status(one: Used) -> str | None:
    if one.deal is None or one.line.kind not in (RESERVED, COVERED, RI_FEE, PLAN_FEE):
        return None
    if one.unused:
        return "Unused"
    return "Used" if one.line.kind in (RESERVED, COVERED) else None


FOCUS_COLUMNS: Mapping[str, Column] = {
    "AvailabilityZone": ("string", lambda one: one.line.zone or None),
    "CommitmentDiscountCategory": (
        "string", lambda one: None if one.deal is None else "Usage" if one.deal.terms.kind == RESERVATION else "Spend"),
    "CommitmentDiscountId": ("string", lambda one: one.line.commitment or None),
    "CommitmentDiscountName": ("string", lambda _: None),
    "CommitmentDiscountStatus": ("string", _status),
    "CommitmentDiscountType": ("string", lambda one: _type(one.deal)),
}  # fmt: skip


def _type(deal: Commitment | None) -> str | None:
    if deal is None:
        return None
    if deal.terms.kind == RESERVATION:
        return "Reserved"
    return "EC2 Instance Savings Plan" if deal.terms.kind == FAMILY_PLAN else "Compute Savings Plan"


def category(one: Used) -> str:
    """FOCUS's ChargeCategory."""
    if one.line.kind == "Refund":
        return "Credit"
    return "Usage" if one.unused or one.line.kind in (USAGE, RESERVED, COVERED) else "Purchase"


def frequency(one: Used) -> str:
    """FOCUS's ChargeFrequency."""
    if category(one) == "Usage":
        return "Usage-Based"
    return "Recurring" if one.line.kind in (RI_FEE, PLAN_FEE) else "One-Time"


def pricing(one: Used) -> str:
    """FOCUS's PricingCategory."""
    if one.deal is not None and category(one) == "Usage":
        return "Committed"
    return "Dynamic" if "SpotUsage" in one.line.usage_type else "Standard"
