"""Invoices as documents: an address that says who may read which one and until when, and the PDF behind it.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_invoicing_GetInvoicePDF.html
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.billing import invoices
from cloudjar.billing.invoices import ISSUER, Invoice
from cloudjar.kit import accounts, doors
from cloudjar.kit.context import Ctx, World
from cloudjar.kit.db import Db
from cloudjar.kit.operation import op
from cloudjar.services.invoicing import paper
from cloudjar.spec import prices
from cloudjar.wire.message import Request, Response

VALID = timedelta(hours=1)
_AWS = "https://invoicing.us-east-1.api.aws"
_PURPOSE = "invoice document"
_AMOUNT = 16


@op("GetInvoicePDF")
def get_invoice_pdf(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Where the document of one of the caller's invoices is, for an hour."""
    key = req["InvoiceId"]
    if _find(ctx.world, ctx.account, key) is None:
        raise AwsError("ResourceNotFoundException", f"The invoice {key} does not exist.", 404)
    until = ctx.now + VALID
    said = json.dumps([ctx.account, key, int(until.timestamp())]).encode()
    token = urlsafe_b64encode(ctx.world.sealer.seal(said, _PURPOSE)).decode().rstrip("=")
    url = f"{doors.address(ctx, _AWS)}{doors.INVOICES}{token}.pdf"
    shown = {"InvoiceId": key, "DocumentUrl": url, "DocumentUrlExpirationDate": until, "SupplementalDocuments": []}
    return {"InvoicePDF": shown}


def _find(world: World, payer: str, key: str) -> Invoice | None:
    return next((one for one in invoices.of_payer(world, payer) if one.id == key), None)


@doors.door("invoice document")
def serve(
    world: World, request: Request, ask: Callable[[Request], Response | Awaitable[Response]], request_id: str
) -> Response | None:
    """The document that an address names, while it is valid."""
    found = _read(world, request.path.removeprefix(doors.INVOICES).removesuffix(".pdf"))
    if found is None:
        return Response(403, [("Content-Type", "text/plain")], b"This address is not valid, or no longer.\n")
    name = f'attachment; filename="invoice-{found.id}.pdf"'
    body = document(found, accounts.described(Db(world.state, "", ""), found.payer).name)
    return Response(200, [("Content-Type", "application/pdf"), ("Content-Disposition", name)], body)


def _read(world: World, token: str) -> Invoice | None:
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (NotBase64, ValueError):
        return None
    said = world.sealer.open(sealed, _PURPOSE)
    if said is None:
        return None
    account, key, until = json.loads(said)
    if world.clock.now() >= datetime.fromtimestamp(until, UTC):
        return None
    return _find(world, account, key)


def document(one: Invoice, name: str) -> bytes:
    """An invoice as PDF: to whom, for which month, what each account and service came to, and the sum."""
    return paper.pdf(f"Invoice {one.id}", list(_lines(one, name)))


def _lines(one: Invoice, name: str) -> Iterator[str]:
    last = (one.month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    yield from (
        f"{ISSUER}: a bill of this jar's, which nobody has to pay",
        "",
        f"Account number:  {one.payer}",
        f"Bill to:         {name}",
        f"Billing period:  {one.month:%B %-d} - {last:%B %-d, %Y}",
        f"Invoice date:    {one.issued:%B %-d, %Y}",
        "",
    )
    for account, parts in groupby(one.parts, key=lambda part: part.account):
        yield f"Account {account}"
        for part in parts:
            yield _row(f"  {part.name}", part.amount)
        yield ""
    yield _row("Charges", one.charges)
    if one.credits:
        yield _row("Credits", -one.credits)
    yield _row("Tax", 0)
    yield "-" * paper.COLUMNS
    yield _row(f"Total in {prices.CURRENCY}", one.total)


def _row(text: str, amount: Any) -> str:
    room = paper.COLUMNS - _AMOUNT
    return f"{text[:room]:<{room}}{f'{amount:,.2f}':>{_AMOUNT}}"
