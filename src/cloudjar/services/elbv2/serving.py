"""Certificates that load balancers serve with.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit import certificates
from cloudjar.kit.context import Ctx
from cloudjar.services.elbv2 import errors
from cloudjar.services.elbv2.records import Listener

_TOO_LONG = ("RSA_3072", "RSA_4096", "EC_secp521r1")
"""What Network Load Balancers do not take."""


def checked(ctx: Ctx, given: Iterable[Mapping[str, Any]], kind: str) -> tuple[str, ...]:
    """ARNs of certificates that can be served with; raises CertificateNotFound, UnsupportedCertificate."""
    arns = []
    for item in given:
        arn = str(item.get("CertificateArn") or "")
        if not arn:
            raise errors.validation("A certificate ARN must be specified")
        found = certificates.keeper(ctx).look(ctx, arn)
        if found is None:
            raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
        if not found.ready:
            raise AwsError(
                "UnsupportedCertificate",
                f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a "
                "supported key size.",
            )
        if kind == "net" and found.algorithm in _TOO_LONG:
            raise AwsError("UnsupportedCertificate", f"The key of the certificate '{arn}' is not supported")
        arns.append(arn)
    return tuple(arns)


def settle(ctx: Ctx, balancer_arn: str, touched: Iterable[str]) -> None:
    """Tell the certificates' keeper which of these a load balancer serves with now."""
    used = {arn for listener in ctx.db[Listener].all(load_balancer_arn=balancer_arn) for arn in listener.certificates}
    keeper = certificates.keeper(ctx)
    for arn in dict.fromkeys(touched):
        if arn in used:
            keeper.use(ctx, arn, balancer_arn)
        else:
            keeper.leave(ctx, arn, balancer_arn)
