"""Invoices: one for each month that is over, to whoever pays; amounts that add up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudjar.gateway import bills
from tests.jar import ACCOUNT, TestJar
from tests.services.budgets.test_alerts import machine, start_of_month
from tests.services.freetier.test_freetier import opened


def listed(jar: TestJar, account: str = ACCOUNT, **more: Any) -> list[dict[str, Any]]:
    """The invoices of an account, as it sees them itself."""
    client = jar.client("invoicing", "us-east-1", account)
    asked = {"ResourceType": "ACCOUNT_ID", "Value": account}
    pages = client.get_paginator("list_invoice_summaries").paginate(Selector=asked, **more)
    return [one for page in pages for one in page["InvoiceSummaries"]]


def test_a_month_that_is_over_is_invoiced_on_the_third(steady_jar: TestJar) -> None:
    jar = steady_jar
    start = start_of_month(jar)
    machine(jar)
    jar.client("ec2").create_volume(AvailabilityZone="eu-west-3a", Size=100, VolumeType="gp3")
    jar.settle()
    jar.advance(days=28)
    assert (jar.clock.now().month, listed(jar)) == (start.month + 1, [])
    jar.advance(days=2)
    (one,) = listed(jar)
    assert one["BillingPeriod"] == {"Month": start.month, "Year": start.year}
    assert one["IssuedDate"].day == 3
    amount = one["BaseCurrencyAmount"]
    hours = 28 * 24
    expected = hours * (Decimal("0.0118") + Decimal("0.005")) + 108 * Decimal("0.0928")
    assert abs(Decimal(amount["TotalAmount"]) - expected) < Decimal("0.05")
    assert amount["AmountBreakdown"]["Taxes"]["TotalAmount"] == "0.00"
    shown = bills.invoices(jar.jar.world, {"account": ACCOUNT})["invoices"][0]
    assert sum(Decimal(part["amount"]) for part in shown["parts"]) == Decimal(shown["charges"])
    assert (shown["id"], shown["total"]) == (one["InvoiceId"], amount["TotalAmount"])
    client = jar.client("invoicing", "us-east-1")
    by_id = client.list_invoice_summaries(Selector={"ResourceType": "INVOICE_ID", "Value": one["InvoiceId"]})
    assert by_id["InvoiceSummaries"] == [one]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.list_invoice_summaries(Selector={"ResourceType": "INVOICE_ID", "Value": "1"})
    period = {"Month": start.month + 1, "Year": start.year}
    assert listed(jar, Filter={"BillingPeriod": period}) == []
    assert listed(jar, Filter={"ReceiverRole": "SELLER"}) == []
    interval = {"StartDate": start, "EndDate": one["IssuedDate"] + timedelta(days=1)}
    assert listed(jar, Filter={"TimeInterval": interval}) == [one]
    assert listed(jar, Filter={"TimeInterval": {**interval, "EndDate": one["IssuedDate"]}}) == []


def test_credits_are_a_discount(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    opened(jar, "free")
    machine(jar)
    jar.advance(days=31)
    amount = listed(jar)[0]["BaseCurrencyAmount"]
    parts = amount["AmountBreakdown"]
    assert amount["TotalAmount"] == "0.00"
    assert parts["SubTotalAmount"] == parts["Discounts"]["TotalAmount"]
    assert Decimal(parts["SubTotalAmount"]) > 10


def test_an_organization_has_one_invoice(steady_jar: TestJar) -> None:
    jar = steady_jar
    start_of_month(jar)
    organizations = jar.client("organizations", "us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(Email="dev@example.com", AccountName="dev")["CreateAccountStatus"]
    jar.settle()
    member = organizations.describe_create_account_status(CreateAccountRequestId=made["Id"])["CreateAccountStatus"]
    account = member["AccountId"]
    jar.client("ec2", key=account).create_volume(AvailabilityZone="eu-west-3a", Size=100, VolumeType="gp3")
    jar.settle()
    jar.advance(days=31)
    (one,) = listed(jar)
    assert account in one["BillSourceAccounts"]
    assert listed(jar, account) == []
    client = jar.client("invoicing", "us-east-1")
    (profile,) = client.batch_get_invoice_profile(AccountIds=[account])["Profiles"]
    assert (profile["ReceiverName"], profile["ReceiverEmail"]) == ("dev", "dev@example.com")
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.batch_get_invoice_profile(AccountIds=["999999999999"])
