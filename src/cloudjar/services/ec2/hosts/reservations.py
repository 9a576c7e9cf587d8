"""Dedicated Host Reservations: a term that is paid for hosts that an account has.

What hosts cost is not published with the types' prices: an offering costs a share (that of Reserved Instances) of what
the largest size of the family does on demand, as often as it goes onto a host.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-dedicated-hosts-work.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base.errors import AwsError
from cloudjar.kit import tags
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.operation import op
from cloudjar.kit.record import Record, record
from cloudjar.kit.usage import Meter, fees, meters
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.hosts import placing
from cloudjar.services.ec2.hosts.records import Host
from cloudjar.services.ec2.lookup import Row, by_path, narrow, need_all
from cloudjar.services.ec2.reserved_instances.offerings import OPTIONS, YEAR, YEARS, priced
from cloudjar.services.ec2.spot.prices import on_demand
from cloudjar.spec import instance_types, prices, shares

_OPERATION = "RunInstances:Reserved"
_OFFERED = by_path({"instance-family": "InstanceFamily", "payment-option": "PaymentOption"})
_FILTERS = by_path(
    {"instance-family": "InstanceFamily", "payment-option": "PaymentOption", "state": "State", "tag-key": "Tags[].Key"}
)


class Offering(NamedTuple):
    """`upfront` and `hourly` in dollars for each host."""

    id: str
    family: str
    option: str
    years: int
    upfront: Decimal
    hourly: Decimal

    @property
    def seconds(self) -> int:
        return self.years * YEAR


@record(
    "ec2",
    "host-reservation",
    missing=("InvalidHostReservationId.NotFound", "The host reservation ID '{key}' does not exist"),
)
class HostReservation(Record, frozen=True, kw_only=True):
    """A term for hosts of one family; dollars are exact texts, for all hosts together."""

    id: str
    offering_id: str
    hosts: tuple[str, ...]
    family: str
    option: str
    seconds: int
    upfront: str
    hourly: str
    start: datetime
    end: datetime
    state: str = "active"
    client_token: str = ""
    tags: dict[str, str] = {}


@meters(HostReservation)
def reserved_hours(held: HostReservation) -> Iterable[Meter]:
    """What every hour of the term costs."""
    hourly = Decimal(held.hourly)
    if held.state != "active" or not hourly:
        return ()
    return (Meter("AmazonEC2", f"HostReservation:{held.family}", _OPERATION, prices.RECURRING, hourly),)


@fees(HostReservation)
def reserved_upfront(held: HostReservation) -> Iterable[Meter]:
    """What is due at once."""
    due = Decimal(held.upfront)
    if held.state != "active" or not due:
        return ()
    return (Meter("AmazonEC2", f"HostReservation:{held.family}", _OPERATION, prices.ONCE, due),)


@lru_cache(4)
def offerings(region: str) -> tuple[Offering, ...]:
    """Everything on offer in a region."""
    families = sorted({name.partition(".")[0] for name in instance_types.names()})
    return tuple(one for family in families if placing.types_of(family) for one in _of_family(region, family))


def _of_family(region: str, family: str) -> Iterator[Offering]:
    largest = max(placing.types_of(family), key=lambda name: instance_types.size(name).vcpus)
    price = on_demand(region, largest)
    if price is None or not instance_types.offered_in(region, largest):
        return
    whole = price * placing.host_vcpus(family) / instance_types.size(largest).vcpus
    for years in YEARS:
        for option in OPTIONS:
            upfront, hourly = priced(whole, shares.RESERVED["standard"][years][option], years, option)
            digest = sha256(f"{region} {family} {years} {option}".encode()).hexdigest()[:17]
            yield Offering(f"hro-{digest}", family, option.replace(" ", ""), years, upfront, hourly)


def _need_offering(ctx: Ctx, key: str) -> Offering:
    for one in offerings(ctx.region):
        if one.id == key:
            return one
    raise AwsError("InvalidHostReservationOfferingId.NotFound", f"The offering ID '{key}' does not exist")


@op("DescribeHostReservationOfferings")
def describe_host_reservation_offerings(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Offerings by id, term and filters."""
    found = [_need_offering(ctx, req["OfferingId"])] if req.get("OfferingId") else list(offerings(ctx.region))
    least, most = req.get("MinDuration") or 0, req.get("MaxDuration") or 3 * YEAR
    rows = [Row({}, _show_offering(one)) for one in found if least <= one.seconds <= most]
    return {"OfferingSet": narrow({"Filters": req.get("Filter")}, _OFFERED, rows)}


def _show_offering(one: Offering) -> dict[str, Any]:
    return {
        "CurrencyCode": "USD",
        "Duration": one.seconds,
        "HourlyPrice": _money(one.hourly),
        "InstanceFamily": one.family,
        "OfferingId": one.id,
        "PaymentOption": one.option,
        "UpfrontPrice": _money(one.upfront),
    }


def _money(amount: Decimal) -> str:
    return f"{amount:.3f}"


def _hosts(ctx: Ctx, req: dict[str, Any], one: Offering) -> list[Host]:
    """Hosts of the offering's family that have no reservation yet."""
    hosts = need_all(ctx, Host, req["HostIdSet"])
    covered = {key for held in ctx.db[HostReservation].all() if held.state == "active" for key in held.hosts}
    for host in hosts:
        if host.state != "available" or host.family != one.family:
            raise errors.invalid_value(f"The host '{host.id}' does not match the offering '{one.id}' ({one.family}).")
        if host.id in covered:
            raise errors.invalid_value(f"The host '{host.id}' has a reservation already.")
    if not hosts:
        raise errors.missing_one("hostIdSet")
    return hosts


def _purchase(one: Offering, hosts: list[Host], reservation: str = "") -> dict[str, Any]:
    return {
        "CurrencyCode": "USD",
        "Duration": one.seconds,
        "HostIdSet": [host.id for host in hosts],
        "HostReservationId": reservation or None,
        "HourlyPrice": _money(one.hourly * len(hosts)),
        "InstanceFamily": one.family,
        "PaymentOption": one.option,
        "UpfrontPrice": _money(one.upfront * len(hosts)),
    }


def _answer(bought: dict[str, Any]) -> dict[str, Any]:
    return {
        "CurrencyCode": "USD",
        "Purchase": [bought],
        "TotalHourlyPrice": bought["HourlyPrice"],
        "TotalUpfrontPrice": bought["UpfrontPrice"],
    }


@op("GetHostReservationPurchasePreview")
def get_host_reservation_purchase_preview(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What a purchase would cost."""
    one = _need_offering(ctx, req["OfferingId"])
    return _answer(_purchase(one, _hosts(ctx, req, one)))


@op("PurchaseHostReservation")
def purchase_host_reservation(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Buy a term for hosts; what is due at once is charged now."""
    one, token = _need_offering(ctx, req["OfferingId"]), req.get("ClientToken") or ""
    for held in ctx.db[HostReservation].all() if token else ():
        if held.client_token == token:
            return _again(ctx, held, one, req)
    hosts = _hosts(ctx, req, one)
    upfront, hourly = one.upfront * len(hosts), one.hourly * len(hosts)
    limit = req.get("LimitPrice")
    if limit and (not limit.replace(".", "", 1).isdigit() or Decimal(limit) < upfront):
        raise errors.invalid_parameter(limit, "limitPrice", f"The purchase costs {_money(upfront)} USD.")
    bought = ctx.db[HostReservation].add(
        HostReservation(
            id=ctx.new_id("hr"),
            offering_id=one.id,
            hosts=tuple(host.id for host in hosts),
            family=one.family,
            option=one.option,
            seconds=one.seconds,
            upfront=str(upfront),
            hourly=str(hourly),
            start=ctx.now,
            end=ctx.now + timedelta(seconds=one.seconds),
            client_token=token,
            tags=tags.specified(req, "host-reservation"),
        )
    )
    for host in hosts:
        ctx.db[Host].put(replace(host, reservation_id=bought.id))
    return {**_answer(_purchase(one, hosts, bought.id)), "ClientToken": bought.client_token or None}


def _again(ctx: Ctx, held: HostReservation, one: Offering, req: dict[str, Any]) -> dict[str, Any]:
    """The same request once more: what was bought then."""
    if (held.offering_id, set(held.hosts)) != (one.id, set(req["HostIdSet"])):
        raise AwsError(
            "IdempotentParameterMismatch", "Arguments on this idempotent request are inconsistent with arguments used "
            "in previous request(s).",
        )  # fmt: skip
    hosts = [ctx.db[Host].need(key) for key in held.hosts]
    return {**_answer(_purchase(one, hosts, held.id)), "ClientToken": held.client_token}


@op("DescribeHostReservations")
def describe_host_reservations(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """What was bought, those whose term is over included."""
    wanted, table = req.get("HostReservationIdSet"), ctx.db[HostReservation]
    found = table.need_all(dict.fromkeys(wanted)) if wanted else table.all()
    rows = [Row(one.tags, show(one)) for one in found]
    return {"HostReservationSet": narrow({"Filters": req.get("Filter")}, _FILTERS, rows)}


def show(held: HostReservation) -> dict[str, Any]:
    """AWS's HostReservation."""
    return {
        "Count": len(held.hosts),
        "CurrencyCode": "USD",
        "Duration": held.seconds,
        "End": held.end,
        "HostIdSet": list(held.hosts),
        "HostReservationId": held.id,
        "HourlyPrice": _money(Decimal(held.hourly)),
        "InstanceFamily": held.family,
        "OfferingId": held.offering_id,
        "PaymentOption": held.option,
        "Start": held.start,
        "State": held.state,
        "UpfrontPrice": _money(Decimal(held.upfront)),
        "Tags": tags.as_list(held.tags) if held.tags else None,
    }


@reconciler(HostReservation)
def converge(step: Step, held: HostReservation | None) -> None:
    """Retired by the clock; its hosts stay, without a reservation."""
    if held is None or held.state != "active":
        return
    if step.ctx.now < held.end:
        step.again("end", held.end)
        return
    with step.world.state.database.transaction():
        now = step.db[HostReservation].get(held.id)
        if now is None or now.state != "active":
            return
        step.db[HostReservation].put(replace(now, state="retired"))
        for key in now.hosts:
            host = step.db[Host].get(key)
            if host is not None and host.reservation_id == held.id:
                step.db[Host].put(replace(host, reservation_id=""))
