"""What Invoicing is asked.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_Operations_AWS_Invoicing.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.billing import invoices
from cloudjar.billing.invoices import ISSUER, Invoice
from cloudjar.billing.ledger import ledger
from cloudjar.kit import accounts
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.spec import prices

Keep = Callable[[Invoice], bool]


@op("ListInvoiceSummaries")
def list_invoice_summaries(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The invoices of the caller's account, the newest first."""
    chosen = req["Selector"]
    issued = list(invoices.of_payer(ctx.world, ctx.account))
    if chosen["ResourceType"] == "ACCOUNT_ID":
        _check_account(ctx, chosen["Value"])
        found = issued if chosen["Value"] == ctx.account else []
    else:
        found = [one for one in issued if one.id == chosen["Value"]]
        if not found:
            raise AwsError("ResourceNotFoundException", f"The invoice {chosen['Value']} does not exist.", 404)
    keep = _filter(req.get("Filter") or {})
    return {"InvoiceSummaries": [_shown(ctx, one) for one in reversed(found) if keep(one)]}


def _check_account(ctx: Ctx, account: str) -> None:
    """The caller's own account, or one that it pays for (which has no invoices of its own)."""
    if account != ctx.account and ledger(ctx.world).payer(account) != ctx.account:
        raise AwsError("AccessDeniedException", f"You are not authorized to see invoices of {account}.", 403)


def _filter(said: Mapping[str, Any]) -> Keep:
    tests: list[Keep] = []
    interval, period = said.get("TimeInterval"), said.get("BillingPeriod")
    if interval is not None:
        start, end = interval["StartDate"], interval["EndDate"]
        if start >= end:
            raise AwsError("ValidationException", "StartDate must be before EndDate.", 400)
        tests.append(lambda one: bool(start <= one.issued < end))
    if period is not None:
        tests.append(lambda one: (one.month.year, one.month.month) == (period["Year"], period["Month"]))
    if said.get("InvoicingEntity"):
        tests.append(lambda _: bool(said["InvoicingEntity"] == ISSUER))
    if said.get("ReceiverRole"):
        tests.append(lambda _: bool(said["ReceiverRole"] == "BUYER"))
    return lambda one: all(test(one) for test in tests)


def _shown(ctx: Ctx, one: Invoice) -> dict[str, Any]:
    sources = sorted({part.account for part in one.parts})
    amount = _amount(one)
    return {
        "AccountId": one.payer,
        "InvoiceId": one.id,
        "IssuedDate": one.issued,
        "DueDate": one.issued,
        "BillSourceAccounts": sources,
        "BillSourceAccountsTotalCount": len(sources),
        "ReceiverRole": "BUYER",
        "Entity": {"InvoicingEntity": ISSUER, "BillingEntity": "AWS"},
        "BillingPeriod": {"Month": one.month.month, "Year": one.month.year},
        "InvoiceFrequency": "RECURRING",
        "BillType": "ANNIVERSARY",
        "InvoiceType": "INVOICE",
        "BaseCurrencyAmount": amount,
        "PaymentCurrencyAmount": amount,
    }


def _amount(one: Invoice) -> dict[str, Any]:
    discounts: dict[str, Any] = {"TotalAmount": f"{one.credits:.2f}", "Breakdown": []}
    if one.credits:
        discounts["Breakdown"] = [{"Description": "Credits", "Amount": f"{one.credits:.2f}"}]
    return {
        "TotalAmount": f"{one.total:.2f}",
        "TotalAmountBeforeTax": f"{one.total:.2f}",
        "CurrencyCode": prices.CURRENCY,
        "AmountBreakdown": {
            "SubTotalAmount": f"{one.charges:.2f}",
            "Discounts": discounts,
            "Taxes": {"TotalAmount": "0.00", "Breakdown": [{"Description": "Tax", "Amount": "0.00", "Rate": "0"}]},
            "Fees": {"TotalAmount": "0.00", "Breakdown": []},
        },
    }


@op("BatchGetInvoiceProfile")
def batch_get_invoice_profile(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """To whom invoices of accounts are addressed."""
    for account in req["AccountIds"]:
        _check_account(ctx, account)
    return {"Profiles": [_profile(ctx, account) for account in req["AccountIds"]]}


def _profile(ctx: Ctx, account: str) -> dict[str, Any]:
    known = accounts.described(ctx.db, account)
    return {"AccountId": account, "ReceiverName": known.name, "ReceiverEmail": known.email, "Issuer": ISSUER}
