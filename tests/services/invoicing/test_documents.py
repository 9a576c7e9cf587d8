"""An invoice as PDF, for who has its address, while that is valid."""

from __future__ import annotations

import re
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from cloudjar.services.invoicing import paper
from tests.jar import TestJar
from tests.services.budgets.test_alerts import machine, start_of_month
from tests.services.invoicing.test_invoices import listed


def texts(document: bytes) -> list[str]:
    """The lines of a PDF, after a look at whether its table of objects is right."""
    start = int(document.rsplit(b"startxref\n", 1)[1].split()[0])
    table = document[start:].split(b"\n")
    assert table[0] == b"xref"
    places = [int(row[:10]) for row in table[3 : 2 + int(table[1].split()[1])]]
    for number, place in enumerate(places, 1):
        assert document[place:].startswith(b"%d 0 obj\n" % number)
    found = re.findall(rb"\((.*)\) Tj", document)
    return [line.decode("cp1252").replace("\\(", "(").replace("\\)", ")") for line in found]


def test_an_invoice_is_a_document(jar: TestJar) -> None:
    start_of_month(jar)
    machine(jar)
    jar.advance(days=35)
    (one,) = listed(jar)
    invoicing = jar.client("invoicing", "us-east-1")
    told = invoicing.get_invoice_pdf(InvoiceId=one["InvoiceId"])["InvoicePDF"]
    with urlopen(told["DocumentUrl"], timeout=60) as answer:
        assert answer.headers["Content-Type"] == "application/pdf"
        document: bytes = answer.read()
    assert document.startswith(b"%PDF-1.4")
    lines = texts(document)
    assert lines[0] == f"Invoice {one['InvoiceId']}"
    (total,) = [line for line in lines if line.startswith("Total in USD")]
    assert total.split()[-1] == f"{float(one['BaseCurrencyAmount']['TotalAmount']):,.2f}"
    assert any("Amazon Elastic Compute Cloud" in line for line in lines)
    wrong = told["DocumentUrl"].replace(".pdf", "A.pdf")
    for minutes, url in ((0, wrong), (61, told["DocumentUrl"])):
        jar.advance(minutes=minutes)
        with pytest.raises(HTTPError) as refused:
            urlopen(url, timeout=60)
        assert refused.value.code == 403
        refused.value.close()
    with pytest.raises(invoicing.exceptions.ResourceNotFoundException):
        invoicing.get_invoice_pdf(InvoiceId="1")


def test_long_documents_have_pages() -> None:
    document = paper.pdf("Much (a lot)", [f"line {number} of many \\ with marks" for number in range(150)])
    lines = texts(document)
    assert lines[0] == "Much (a lot)"
    pages = len(re.findall(rb"/Type /Page ", document))
    assert sum(line.startswith("line ") for line in lines) == 150
    assert f"Page {pages} of {pages}" in lines
    assert pages == 3
