"""Reserved DB instances: bought, applied to what runs, and told with the bill."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from cloudjar.billing.ledger import ledger
from cloudjar.kit.usage import Meter
from cloudjar.spec import prices
from tests.jar import ACCOUNT, TestJar
from tests.services.rds.site import refused

POSTGRES = "CreateDBInstance:0014"
YEAR = "31536000"


def offer(jar: TestJar, kind: str = "db.t3.micro", **more: Any) -> dict[str, Any]:
    """The only offering that is so."""
    asked = {"DBInstanceClass": kind, "ProductDescription": "postgresql", "OfferingType": "No Upfront",
             "MultiAZ": False, "Duration": "1", **more}  # fmt: skip
    (one,) = jar.client("rds").describe_reserved_db_instances_offerings(**asked)["ReservedDBInstancesOfferings"]
    found: dict[str, Any] = one
    return found


def buy(jar: TestJar, kind: str = "db.t3.micro", count: int = 1, **more: Any) -> dict[str, Any]:
    """A purchase that is active."""
    rds = jar.client("rds")
    key = offer(jar, kind, **more)["ReservedDBInstancesOfferingId"]
    made = rds.purchase_reserved_db_instances_offering(ReservedDBInstancesOfferingId=key, DBInstanceCount=count)
    jar.settle()
    name = made["ReservedDBInstance"]["ReservedDBInstanceId"]
    found: dict[str, Any] = rds.describe_reserved_db_instances(ReservedDBInstanceId=name)["ReservedDBInstances"][0]
    return found


def ran(jar: TestJar, usage_type: str, hours: int, key: str = "shop") -> None:
    """So many hours of a database, until now."""
    meter = Meter("AmazonRDS", usage_type, POSTGRES, "Hrs")
    start = jar.clock.now().replace(minute=0, second=0, microsecond=0)
    jar.advance(hours=hours)
    with jar.jar.database.transaction():
        jar.jar.usage.used(ACCOUNT, "eu-west-3", key, meter, start, start + timedelta(hours=hours))


def costs(jar: TestJar) -> dict[tuple[str, str], tuple[Any, Any]]:
    """(hours, dollars) of the month by (record type, usage type), of databases."""
    found: dict[tuple[str, str], tuple[Any, Any]] = {}
    for row in ledger(jar.jar.world).book(jar.clock.now()).rows:
        if row.line.service == "AmazonRDS" and row.line.unit != "Requests":
            key = (row.line.kind, row.line.usage_type)
            used, cost = found.get(key, (Decimal(0), Decimal(0)))
            found[key] = (used + sum(row.usage, Decimal(0)), cost + sum(row.cost, Decimal(0)))
    return found


def test_what_is_on_offer_and_what_was_bought(jar: TestJar) -> None:
    rds = jar.client("rds")
    one = offer(jar)
    hourly = (Decimal("0.021") * Decimal("0.72")).quantize(Decimal("0.00001"))
    assert one["RecurringCharges"] == [
        {"RecurringChargeAmount": float(hourly), "RecurringChargeFrequency": "Hourly"}]  # fmt: skip
    assert (one["Duration"], one["FixedPrice"], one["CurrencyCode"]) == (int(YEAR), 0.0, "USD")
    ahead = offer(jar, OfferingType="All Upfront", Duration="3")
    assert ahead["RecurringCharges"] == []
    assert ahead["FixedPrice"] == float(round(Decimal("0.021") * Decimal("0.43") * 26280))
    every = rds.get_paginator("describe_reserved_db_instances_offerings").paginate(OfferingType="No Upfront")
    assert {found["Duration"] for page in every for found in page["ReservedDBInstancesOfferings"]} == {int(YEAR)}
    made = rds.purchase_reserved_db_instances_offering(
        ReservedDBInstancesOfferingId=one["ReservedDBInstancesOfferingId"], ReservedDBInstanceId="Shop-Year",
        DBInstanceCount=2, Tags=[{"Key": "Team", "Value": "shop"}],
    )["ReservedDBInstance"]  # fmt: skip
    assert (made["ReservedDBInstanceId"], made["State"], made["DBInstanceCount"]) == ("shop-year", "payment-pending", 2)
    jar.settle()
    (held,) = rds.describe_reserved_db_instances(DBInstanceClass="db.t3.micro")["ReservedDBInstances"]
    assert (held["State"], held["ReservedDBInstanceArn"].rpartition(":")[2]) == ("active", "shop-year")
    assert rds.list_tags_for_resource(ResourceName=held["ReservedDBInstanceArn"])["TagList"] == [
        {"Key": "Team", "Value": "shop"}]  # fmt: skip
    key = one["ReservedDBInstancesOfferingId"]
    with refused("ReservedDBInstanceAlreadyExists"):
        rds.purchase_reserved_db_instances_offering(ReservedDBInstancesOfferingId=key, ReservedDBInstanceId="shop-year")
    with refused("ReservedDBInstanceQuotaExceeded"):
        rds.purchase_reserved_db_instances_offering(ReservedDBInstancesOfferingId=key, DBInstanceCount=39)
    with refused("ReservedDBInstancesOfferingNotFound"):
        rds.purchase_reserved_db_instances_offering(ReservedDBInstancesOfferingId="nothing")
    with refused("ReservedDBInstanceNotFound"):
        rds.describe_reserved_db_instances(ReservedDBInstanceId="nothing")
    jar.advance(days=366)
    (held,) = rds.describe_reserved_db_instances()["ReservedDBInstances"]
    assert held["State"] == "retired"


def test_a_covered_database_costs_its_reservation(jar: TestJar) -> None:
    bought = buy(jar)
    ran(jar, "InstanceUsage:db.t3.micro", 100)
    found = costs(jar)
    hours, cost = found["DiscountedUsage", "InstanceUsage:db.t3.micro"]
    assert (hours, cost) == (100, 0)
    assert ("Usage", "InstanceUsage:db.t3.micro") not in found
    hourly = Decimal(str(bought["RecurringCharges"][0]["RecurringChargeAmount"]))
    hours, cost = found["RIFee", "HeavyUsage:db.t3.micro"]
    assert abs(cost - 100 * hourly) < Decimal("0.001")
    assert abs(hours - 100) < Decimal("0.1")


def test_a_smaller_reservation_covers_a_part_of_a_larger_database(jar: TestJar) -> None:
    buy(jar, "db.t3.micro")  # half a unit an hour, where small takes one
    ran(jar, "InstanceUsage:db.t3.small", 10)
    found = costs(jar)
    assert found["DiscountedUsage", "InstanceUsage:db.t3.small"][0] == 5
    hours, cost = found["Usage", "InstanceUsage:db.t3.small"]
    price = prices.price("AmazonRDS", "InstanceUsage:db.t3.small", "eu-west-3", POSTGRES).per_unit
    assert (hours, cost) == (5, 5 * price)


def test_two_zones_take_twice_as_much(jar: TestJar) -> None:
    buy(jar, "db.t3.micro", count=2)
    ran(jar, "Multi-AZUsage:db.t3.micro", 10)
    found = costs(jar)
    assert found["DiscountedUsage", "Multi-AZUsage:db.t3.micro"] == (10, 0)
    jar.advance(days=30)  # another month, with what nobody covers
    buy(jar, "db.t3.micro", MultiAZ=True)
    ran(jar, "InstanceUsage:db.t3.small", 10, "other")
    found = costs(jar)
    assert found["DiscountedUsage", "InstanceUsage:db.t3.small"] == (10, 0)


def test_engines_families_and_plans_are_not_mixed(jar: TestJar) -> None:
    buy(jar, "db.t3.micro", ProductDescription="mariadb")
    buy(jar, "db.m5.large")
    ran(jar, "InstanceUsage:db.t3.micro", 10)
    found = costs(jar)
    assert found["Usage", "InstanceUsage:db.t3.micro"] == (10, Decimal("0.21"))


def test_cost_explorer_tells_how_much_of_them_was_used(jar: TestJar) -> None:
    buy(jar)
    now = jar.clock.now()
    ran(jar, "InstanceUsage:db.t3.micro", 12)
    ce = jar.client("ce", region="us-east-1")
    period = {"Start": f"{now:%Y-%m-01}", "End": f"{jar.clock.now():%Y-%m}-28"}
    told = ce.get_reservation_utilization(
        TimePeriod=period, GroupBy=[{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}])  # fmt: skip
    (group,) = told["UtilizationsByTime"][0]["Groups"]
    assert group["Attributes"]["instanceType"] == "db.t3.micro"
    assert group["Attributes"]["service"] == "Amazon Relational Database Service"
    assert group["Attributes"]["onDemandHourlyRate"] == "0.021"
    assert Decimal(group["Utilization"]["TotalActualHours"]) == 12
    assert Decimal(group["Utilization"]["OnDemandCostOfRIHoursUsed"]) == 12 * Decimal("0.021")
    rds = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Relational Database Service"]}}
    cover = ce.get_reservation_coverage(TimePeriod=period, Filter=rds)["Total"]["CoverageHours"]
    assert (cover["ReservedHours"], cover["CoverageHoursPercentage"]) == ("12", "100")
    plain = ce.get_reservation_coverage(TimePeriod=period)["Total"]["CoverageHours"]
    assert plain["TotalRunningHours"] == "0"  # EC2's, where nobody says whose
