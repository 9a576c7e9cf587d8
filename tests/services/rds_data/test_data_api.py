"""The Data API where engines are simulated: who may, on what, and that nobody answers there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jar import TestJar
from tests.services.answers import document, statement
from tests.services.rds.aurora_site import AuroraSite
from tests.services.rds.site import PASSWORD, refused


class Editor(AuroraSite):
    """A cluster ``sea`` with the Data API, and the secret of its master."""

    def __init__(self, jar: TestJar) -> None:
        super().__init__(jar)
        self.arn = self.make(EnableHttpEndpoint=True)["DBClusterArn"]
        self.secret = self.keep({"username": "boss", "password": PASSWORD})

    def keep(self, said: Any) -> str:
        """A secret that says so."""
        secrets = self.jar.client("secretsmanager")
        number = len(secrets.list_secrets()["SecretList"])
        return str(secrets.create_secret(Name=f"sea/{number}", SecretString=json.dumps(said))["ARN"])

    def run(self, sql: str = "SELECT 1", client: Any = None, **more: Any) -> Any:
        """A statement."""
        asked = {"resourceArn": self.arn, "secretArn": self.secret, "sql": sql, **more}
        return (client or self.jar.client("rds-data")).execute_statement(**asked)


@pytest.fixture
def editor(jar: TestJar) -> Editor:
    return Editor(jar)


def test_the_endpoint_is_on_where_it_was_asked_for(editor: Editor) -> None:
    assert editor.cluster()["HttpEndpointEnabled"] is True
    editor.jar.settle()
    assert editor.rds.disable_http_endpoint(ResourceArn=editor.arn)["HttpEndpointEnabled"] is False
    assert editor.cluster()["HttpEndpointEnabled"] is False
    with refused("HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for resource {editor.arn}"):
        editor.run()
    assert editor.rds.enable_http_endpoint(ResourceArn=editor.arn)["ResourceArn"] == editor.arn
    with refused("ResourceNotFoundFault"):
        editor.rds.enable_http_endpoint(ResourceArn=f"{editor.arn}x")
    editor.create_cluster("fleet")
    with refused("InvalidResourceStateFault", "isn't supported for DB clusters of postgres"):
        editor.rds.enable_http_endpoint(ResourceArn=editor.cluster("fleet")["DBClusterArn"])
    with refused("HttpEndpointNotEnabledException"):
        editor.run(resourceArn=editor.cluster("fleet")["DBClusterArn"])


def test_what_is_no_cluster_and_no_secret(editor: Editor) -> None:
    with refused("BadRequestException", "is not found"):
        editor.run(resourceArn=editor.arn.replace("sea", "lake"))
    with refused("BadRequestException", "Invalid cluster arn"):
        editor.run(resourceArn="arn:aws:s3:::bucket")
    with refused("SecretsErrorException", "Error fetching secret"):
        editor.run(secretArn=editor.secret[:-6] + "abcdef")
    for said in ({"username": "boss"}, ["boss"], {"username": "boss\0", "password": "x"}):
        with refused("InvalidSecretException"):
            editor.run(secretArn=editor.keep(said))
    with refused("BadRequestException", "schema"):
        editor.run(schema="public")
    with refused("BadRequestException", "Cannot find parameter: n"):
        editor.run("SELECT :n")


def test_simulated_engines_answer_nobody(editor: Editor) -> None:
    for ask in ("execute_statement", "batch_execute_statement"):
        with refused("UnsupportedOperation", "no engine that could be asked"):
            getattr(editor.jar.client("rds-data"), ask)(
                resourceArn=editor.arn, secretArn=editor.secret, sql="SELECT 1"
            )
    with refused("UnsupportedOperation"):
        editor.jar.client("rds-data").begin_transaction(resourceArn=editor.arn, secretArn=editor.secret)
    with refused("NotImplemented"):
        editor.jar.client("rds-data").execute_sql(
            dbClusterOrInstanceArn=editor.arn, awsSecretStoreArn=editor.secret, sqlStatements="SELECT 1"
        )


def test_the_secret_is_read_in_the_callers_name(editor: Editor) -> None:
    iam = editor.jar.client("iam")
    iam.create_user(UserName="clerk")
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    client = editor.jar.client("rds-data", key=key["AccessKeyId"], secret=key["SecretAccessKey"])
    with refused("AccessDeniedException", "rds-data:ExecuteStatement"):
        editor.run(client=client)
    may = [statement("rds-data:*", editor.arn)]
    iam.put_user_policy(UserName="clerk", PolicyName="may", PolicyDocument=document(*may))
    with refused("AccessDeniedException", "secretsmanager:GetSecretValue"):
        editor.run(client=client)
    may.append(statement("secretsmanager:GetSecretValue", editor.secret))
    iam.put_user_policy(UserName="clerk", PolicyName="may", PolicyDocument=document(*may))
    with refused("UnsupportedOperation"):
        editor.run(client=client)
