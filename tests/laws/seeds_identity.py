"""Devices, providers, certificates and keys, several of each, for the law on pages."""

from __future__ import annotations

import json
from typing import Any

from tests.jar import TestJar
from tests.services.iam.test_certificates import GIT, LEAF, TOP, ssh_key
from tests.services.sts.idp import metadata

MANY = 7
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def identity(jar: TestJar) -> dict[str, Any]:
    """Make them as root of the default account, for the user ``u0``; gives the parameters that the lists need."""
    iam = jar.client("iam")
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(MANY)]
    for n in range(MANY):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"d{n}", Tags=tags)["VirtualMFADevice"]
        saml = iam.create_saml_provider(Name=f"saml{n}", SAMLMetadataDocument=metadata(), Tags=tags)
        oidc = iam.create_open_id_connect_provider(
            Url=f"https://issuer{n}.example.com", ThumbprintList=["0" * 40], Tags=tags
        )
        iam.upload_server_certificate(
            ServerCertificateName=f"c{n}", CertificateBody=LEAF.body, PrivateKey=LEAF.key, Tags=tags
        )
    iam.upload_signing_certificate(UserName="u0", CertificateBody=TOP.body)
    iam.upload_ssh_public_key(UserName="u0", SSHPublicKeyBody=ssh_key()[0])
    for _ in range(2):
        iam.create_service_specific_credential(UserName="u0", ServiceName=GIT)
    return {
        "SerialNumber": device["SerialNumber"],
        "SAMLProviderArn": saml["SAMLProviderArn"],
        "OpenIDConnectProviderArn": oidc["OpenIDConnectProviderArn"],
        "ServerCertificateName": "c0",
        "PolicyInputList": [ALLOW],
        "ActionNames": [f"s3:Get{n}" for n in range(MANY)],
        "PolicySourceArn": iam.get_user(UserName="u0")["User"]["Arn"],
    }
