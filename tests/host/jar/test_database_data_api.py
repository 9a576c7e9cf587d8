"""The RDS Data API on the real host: sessions in a real engine, by a secret's user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.planes.database.sessions import GuestSessions, Late, Login
from tests.host.compute.guestnet import root_and_tools
from tests.host.jar.fleet import Fleet
from tests.host.jar.pair import PASSWORD
from tests.host.jar.served import real_jar, until

pytestmark = [pytest.mark.host, pytest.mark.timeout(600)]


class Shop(Fleet):
    """An Aurora cluster ``shop`` of one member, and a client of its Data API."""

    def create(self, name: str = "shop", **more: Any) -> None:
        self.rds.create_db_cluster(
            DBClusterIdentifier=name, Engine="aurora-postgresql", EngineVersion="15", MasterUsername="boss",
            MasterUserPassword=PASSWORD, DBSubnetGroupName="three", VpcSecurityGroupIds=[self.group],
            DatabaseName="store", EnableHttpEndpoint=True, **more,
        )  # fmt: skip
        self.rds.create_db_instance(
            DBInstanceIdentifier="shop-a", DBClusterIdentifier=name, DBInstanceClass="db.t3.medium",
            Engine="aurora-postgresql", PubliclyAccessible=False,
        )  # fmt: skip
        self.reach("shop-a", "available")
        until(lambda: self.cluster(name)["Status"] == "available", f"{name} to be available", 60, 0.2)
        self.arn, self.data = self.cluster(name)["DBClusterArn"], self.jar.client("rds-data")
        self.secrets = self.jar.client("secretsmanager")
        self.secret = self.keep("boss", PASSWORD)

    def machine(self) -> str:
        """The one member's."""
        return next(one for one in self.jar.compute.machines() if one.startswith("db-"))

    def keep(self, user: str, password: str) -> str:
        """A secret with a user's password."""
        said = json.dumps({"username": user, "password": password})
        number = len(self.secrets.list_secrets()["SecretList"])
        return str(self.secrets.create_secret(Name=f"shop/{number}", SecretString=said)["ARN"])

    def run(self, sql: str, *parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A statement's whole answer."""
        asked = {"resourceArn": self.arn, "secretArn": self.secret, "database": "store", **more}
        return dict(self.data.execute_statement(sql=sql, parameters=list(parameters), **asked))

    def rows(self, sql: str, *parameters: dict[str, Any], **more: Any) -> list[list[Any]]:
        """Its rows, each value without its kind."""
        found = self.run(sql, *parameters, **more)["records"]
        return [[None if "isNull" in field else next(iter(field.values())) for field in row] for row in found]

    def begin(self) -> dict[str, str]:
        """A transaction, as other calls name it."""
        begun = self.data.begin_transaction(resourceArn=self.arn, secretArn=self.secret, database="store")
        return {"transactionId": begun["transactionId"]}

    def end(self, how: str, transaction: dict[str, str]) -> str:
        """Commit or roll back."""
        ended = getattr(self.data, how)(resourceArn=self.arn, secretArn=self.secret, **transaction)
        return str(ended["transactionStatus"])

    def refused(self, sql: str, *parameters: dict[str, Any], **more: Any) -> tuple[str, str]:
        """Code and words of what is refused."""
        with pytest.raises(ClientError) as refused:
            self.run(sql, *parameters, **more)
        return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One jar with one cluster for the tests of this file."""
    if why := root_and_tools():
        pytest.skip(f"a real jar {why}")
    with real_jar() as jar:
        made = Shop(jar)
        made.create()
        yield made


def given(name: str, hint: str = "", **value: Any) -> dict[str, Any]:
    return {"name": name, "value": value, **({"typeHint": hint} if hint else {})}


def test_values_of_every_kind_go_in_and_come_out(shop: Shop) -> None:
    made = shop.run(
        "CREATE TABLE kinds (n serial PRIMARY KEY, whole int, big bigint, part float8, yes bool, word varchar(20),"
        " raw bytea, day date, hour time, at timestamp, tz timestamptz, exact numeric(8,2), doc jsonb, id uuid,"
        " many int[], words text[])"
    )
    assert made["numberOfRecordsUpdated"] == 0
    added = shop.run(
        "INSERT INTO kinds (whole, big, part, yes, word, raw, day, hour, at, tz, exact, doc, id, many, words) VALUES"
        " (:whole, :whole, :part, :yes, :word, :raw, :day, :hour, :at, :at, :exact, :doc, :id, '{1,NULL,3}',"
        " ARRAY['a b', 'c\"d', NULL, 'NULL']) RETURNING n",
        given("whole", longValue=7), given("part", doubleValue=0.1), given("yes", booleanValue=True),
        given("word", stringValue="it's :word"), given("raw", blobValue=b"\0\xff"),
        given("day", "DATE", stringValue="2026-03-01"), given("hour", "TIME", stringValue="10:20:30.5"),
        given("at", "TIMESTAMP", stringValue="2026-03-01 10:20:30"), given("exact", "DECIMAL", stringValue="12.50"),
        given("doc", "JSON", stringValue='{"a": [1]}'),
        given("id", "UUID", stringValue="123e4567-e89b-12d3-a456-426614174000"),
    )  # fmt: skip
    assert added["records"] == [[{"longValue": 1}]]
    (row,) = shop.run("SELECT * FROM kinds WHERE n = :n", given("n", longValue=1))["records"]
    assert row == [
        {"longValue": 1}, {"longValue": 7}, {"longValue": 7}, {"doubleValue": 0.1}, {"booleanValue": True},
        {"stringValue": "it's :word"}, {"blobValue": b"\0\xff"}, {"stringValue": "2026-03-01"},
        {"stringValue": "10:20:30.5"}, {"stringValue": "2026-03-01 10:20:30"}, {"stringValue": "2026-03-01 10:20:30"},
        {"stringValue": "12.50"}, {"stringValue": '{"a": [1]}'},
        {"stringValue": "123e4567-e89b-12d3-a456-426614174000"}, {"arrayValue": {"longValues": [1, None, 3]}},
        {"arrayValue": {"stringValues": ["a b", 'c"d', None, "NULL"]}},
    ]  # fmt: skip
    assert shop.rows("SELECT :nothing::text, ':no', $$ :no $$ /* :no */", given("nothing", isNull=True)) == [
        [None, ":no", " :no "]
    ]
    numbers = {"decimalReturnType": "DOUBLE_OR_LONG", "longReturnType": "STRING"}
    assert shop.run("SELECT 12.50, 3::numeric, 4", resultSetOptions=numbers)["records"] == [
        [{"doubleValue": 12.5}, {"longValue": 3}, {"stringValue": "4"}]
    ]


def test_columns_are_described_and_records_are_formatted(shop: Shop) -> None:
    shop.run("CREATE TABLE people (id serial PRIMARY KEY, name varchar(30), paid numeric(9,3))")
    changed = shop.run("INSERT INTO people (name, paid) VALUES ('a', 1.5), ('b', NULL)")
    assert (changed["numberOfRecordsUpdated"], changed["generatedFields"]) == (2, [])
    found = shop.run("SELECT id, name, paid, 1 AS one FROM people ORDER BY id", includeResultMetadata=True)
    told = found["columnMetadata"]
    assert [(one["label"], one["typeName"], one["type"], one["tableName"]) for one in told] == [
        ("id", "serial", 4, "people"), ("name", "varchar", 12, "people"), ("paid", "numeric", 2, "people"),
        ("one", "int4", 4, ""),
    ]  # fmt: skip
    assert [(one["nullable"], one["precision"], one["scale"]) for one in told] == [
        (0, 10, 0), (1, 30, 0), (1, 9, 3), (2, 10, 0),
    ]  # fmt: skip
    assert [one["isAutoIncrement"] for one in told] == [True, False, False, False]
    formatted = shop.run("SELECT id, name FROM people ORDER BY id", formatRecordsAs="JSON")
    assert json.loads(formatted["formattedRecords"]) == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    assert not formatted.get("records")
    assert shop.run("DELETE FROM people WHERE id > 1")["numberOfRecordsUpdated"] == 1


def test_a_transaction_is_seen_by_others_when_it_is_committed(shop: Shop) -> None:
    shop.run("CREATE TABLE held (n int)")
    going = shop.begin()
    shop.run("INSERT INTO held VALUES (1)", **going)
    assert shop.rows("SELECT count(*) FROM held", **going) == [[1]]
    assert shop.rows("SELECT count(*) FROM held") == [[0]]
    assert shop.end("commit_transaction", going) == "Transaction Committed"
    assert shop.rows("SELECT count(*) FROM held") == [[1]]
    going = shop.begin()
    shop.run("INSERT INTO held VALUES (2)", **going)
    assert shop.end("rollback_transaction", going) == "Rollback Complete"
    assert shop.rows("SELECT count(*) FROM held") == [[1]]
    assert shop.refused("SELECT 1", **going) == (
        "TransactionNotFoundException", f"Transaction {going['transactionId']} is not found"
    )  # fmt: skip
    assert shop.refused("SELECT 1", **{**shop.begin(), "database": "postgres"})[0] == "BadRequestException"


def test_a_transaction_that_nobody_names_for_three_minutes_is_rolled_back(shop: Shop) -> None:
    shop.run("CREATE TABLE idle (n int)")
    going = shop.begin()
    shop.run("INSERT INTO idle VALUES (1)", **going)
    shop.jar.advance(170)
    shop.run("INSERT INTO idle VALUES (2)", **going)
    shop.jar.advance(170)
    shop.run("INSERT INTO idle VALUES (3)", **going)
    open_sessions = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%idle%'"
    assert shop.rows(open_sessions) == [[1]]
    shop.jar.advance(190)
    until(lambda: shop.rows(open_sessions) == [[0]], "the session to be gone", 30, 0.2)
    assert shop.refused("SELECT 1", **going)[0] == "TransactionNotFoundException"
    assert shop.rows("SELECT count(*) FROM idle") == [[0]]


def test_a_batch_is_done_whole_or_not_at_all(shop: Shop) -> None:
    shop.run("CREATE TABLE lot (n int PRIMARY KEY)")
    asked = {"resourceArn": shop.arn, "secretArn": shop.secret, "database": "store"}
    sets = [[given("n", longValue=n)] for n in range(5)]
    done = shop.data.batch_execute_statement(sql="INSERT INTO lot VALUES (:n)", parameterSets=sets, **asked)
    assert done["updateResults"] == [{"generatedFields": []}] * 5
    again = [[given("n", longValue=n)] for n in (7, 3)]
    with pytest.raises(ClientError) as refused:
        shop.data.batch_execute_statement(sql="INSERT INTO lot VALUES (:n)", parameterSets=again, **asked)
    assert refused.value.response["Error"]["Code"] == "DatabaseErrorException"
    assert "SQLState: 23505" in refused.value.response["Error"]["Message"]
    assert shop.rows("SELECT count(*) FROM lot") == [[5]]


def test_what_the_engine_refuses_is_told_in_its_words(shop: Shop) -> None:
    assert shop.refused("SELECT * FROM nowhere") == (
        "DatabaseErrorException", 'ERROR: relation "nowhere" does not exist; Position: 15; SQLState: 42P01'
    )  # fmt: skip
    wrong = shop.keep("boss", "not-the-password")
    assert shop.refused("SELECT 1", secretArn=wrong) == (
        "DatabaseErrorException", 'ERROR: password authentication failed for user "boss"; SQLState: 28P01'
    )  # fmt: skip
    shop.run("CREATE ROLE clerk LOGIN PASSWORD 'clerk-password-1'")
    clerk = shop.keep("clerk", "clerk-password-1")
    assert shop.rows("SELECT session_user", secretArn=clerk) == [["clerk"]]
    assert "SQLState: 42501" in shop.refused("CREATE ROLE other", secretArn=clerk)[1]
    assert shop.refused("SELECT :a, :b", given("a", longValue=1)) == (
        "BadRequestException", "Cannot find parameter: b"
    )  # fmt: skip
    assert shop.refused("SELECT repeat('x', 1000) FROM generate_series(1, 1100)")[0] == "UnsupportedResultException"
    assert shop.refused("COPY pg_class FROM STDIN")[0] == "DatabaseErrorException"
    assert shop.rows("SELECT 1") == [[1]]


def test_a_late_statement_is_ended_or_goes_on(shop: Shop) -> None:
    """In a second instead of the 45 of a call, beside the server."""
    shop.run("CREATE TABLE late (n int)")
    login = Login(machine=shop.machine(), port=5432, user="boss", password=PASSWORD, database="store")
    session = GuestSessions(shop.jar.compute).open(login, 10)
    with pytest.raises(Late):
        session.ask("INSERT INTO late SELECT 1 FROM pg_sleep(120)", seconds=1)
    assert session.ask("SELECT count(*) FROM late", seconds=10).rows == (("0",),)
    with pytest.raises(Late):
        session.ask("INSERT INTO late SELECT 1 FROM pg_sleep(3)", seconds=1, goes_on=True)
    session.close()
    until(lambda: shop.rows("SELECT count(*) FROM late") == [[1]], "the statement to be done", 30, 0.2)
    gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"
    until(lambda: shop.rows(gone, given("pid", longValue=session.process)) == [[0]], "the session to be gone", 30, 0.2)


def test_a_server_that_dies_takes_open_transactions_along(shop: Shop) -> None:
    shop.run("CREATE TABLE lost (n int)")
    going = shop.begin()
    shop.run("INSERT INTO lost VALUES (1)", **going)
    shop.jar.kill()
    shop.jar.start()
    assert shop.refused("SELECT 1", **going)[0] == "TransactionNotFoundException"
    assert shop.rows("SELECT count(*) FROM lost") == [[0]]


def test_who_may_not_and_what_is_off(shop: Shop) -> None:
    shop.rds.disable_http_endpoint(ResourceArn=shop.arn)
    assert shop.refused("SELECT 1") == (
        "HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for resource {shop.arn}"
    )  # fmt: skip
    assert shop.rds.enable_http_endpoint(ResourceArn=shop.arn)["HttpEndpointEnabled"]
    assert shop.rows("SELECT 1") == [[1]]
    shop.rds.stop_db_cluster(DBClusterIdentifier="shop")
    assert shop.refused("SELECT 1")[0] == "DatabaseUnavailableException"
