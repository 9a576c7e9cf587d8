"""`cloudjar certificate`: the owner of a domain says so, and the root can be trusted."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from tests.cli.terminal import Terminal


def test_a_certificate_is_validated_and_its_root_shown(terminal: Terminal) -> None:
    terminal.good("up")
    assert terminal.run("certificate", "root").code == 1  # none was needed yet
    acm = terminal.client("acm")
    arn = acm.request_certificate(
        DomainName="www.example.test", SubjectAlternativeNames=["example.test"], ValidationMethod="DNS"
    )["CertificateArn"]
    said = terminal.good("certificate", "validate", arn, "--domain", "www.example.test")
    assert "still to be proven: example.test" in said
    assert terminal.json("certificate", "validate", arn) == {"open": []}
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"Delay": 1})
    got = acm.get_certificate(CertificateArn=arn)
    root = x509.load_pem_x509_certificate(terminal.good("certificate", "root").encode())
    x509.load_pem_x509_certificate(got["Certificate"].encode()).verify_directly_issued_by(root)
    assert Path(terminal.good("certificate", "root", "--path").strip()).read_text() == got["CertificateChain"]
    again = terminal.run("certificate", "validate", arn)
    assert (again.code, "nothing is asked of its owner" in again.err) == (1, True)
