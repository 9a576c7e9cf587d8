"""Nothing is done for who does not sign, or may not; what is not built says so."""

from __future__ import annotations

from cloudjar.app import SERVICES
from cloudjar.spec import iam, models
from tests.calls import minimal, read, signed, write
from tests.laws.built import REGISTRY, in_protocols
from tests.laws.conftest import Court

DENIED = {"ec2": "UnauthorizedOperation", "query": "AccessDenied", "rest-xml": "AccessDenied"}
DENIED["sns"] = "AuthorizationError"
"""How each family (or a service) words it; every other protocol says AccessDeniedException."""
UNSIGNED = {"ec2": "MissingAuthenticationToken", "query": "MissingAuthenticationToken"}
FOR_ALL = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
"""Operations that need no permission."""
ONE_BY_ONE = {("s3", "DeleteObjects")}
"""Operations that are refused thing by thing, in an answer that is none (tests/services/s3/access)."""
UNSIGNED_BY_DESIGN = {("sts", "AssumeRoleWithSAML"), ("sts", "AssumeRoleWithWebIdentity")}


def family(service: str) -> str:
    """The protocol by which a service words its errors, whatever it is asked in."""
    return models.service(service).protocols[0]


def params(service: str, operation: str) -> dict[str, object]:
    """Well-formed, and about nothing that exists."""
    made: dict[str, object] = minimal(models.service(service).operations[operation].input)
    return made


def test_every_operation_is_refused_when_unsigned(court: Court) -> None:
    for service, operation, protocol in in_protocols():
        answer = court.line.send(write(service, operation, params(service, operation), protocol))
        error = read(service, operation, answer, protocol)["Error"]["Code"]
        if (service, operation) in UNSIGNED_BY_DESIGN:
            assert answer.status in (400, 403, 501), (service, operation, answer)
            continue
        if protocol.startswith("rest"):  # nothing but a signature tells it from a request to S3, which answers
            meant = (403,) if service == "s3" else (400, 403, 404, 405, 501)
            assert answer.status in meant or (service, operation) in ONE_BY_ONE, (service, operation, answer)
            continue
        wanted = UNSIGNED.get(family(service), "MissingAuthenticationTokenException")
        assert (error, answer.status // 100) == (wanted, 4), (service, operation, protocol, answer)


def test_every_operation_is_refused_to_who_may_do_nothing(court: Court) -> None:
    checked = 0
    for service, operation, protocol in in_protocols():
        if (service, operation) in FOR_ALL | UNSIGNED_BY_DESIGN | ONE_BY_ONE:
            continue
        request = signed(write(service, operation, params(service, operation), protocol), service, court.nobody)
        answer = court.line.send(request)
        error = read(service, operation, answer, protocol).get("Error", {})
        if operation.startswith("Head"):
            assert answer.status == 403, (service, operation, answer)
            continue
        wanted = DENIED.get(service) or DENIED.get(family(service), "AccessDeniedException")
        assert (error.get("Code"), answer.status) in ((wanted, 403), (wanted, 400)), (
            service,
            operation,
            protocol,
            answer,
        )
        assert "user/nobody" in error["Message"], (service, operation, error)
        assert any(entry.action in error["Message"] for entry in iam.authorization(service, operation)), error
        checked += 1
    assert checked > 200


def test_what_needs_no_permission_is_answered(court: Court) -> None:
    for service, operation in FOR_ALL:
        answer = court.line.send(signed(write(service, operation, {}), service, court.nobody))
        assert answer.status == 200, answer


def test_what_is_not_built_answers_501_and_names_itself(court: Court) -> None:
    """But for what newer operations have taken the place of (S3's GetBucketLifecycle)."""
    for service in sorted(SERVICES):
        built = {operation.name for operation in REGISTRY.operations(service)}
        known = models.service(service).operations
        taken = {(known[name].method, known[name].uri) for name in built if family(service).startswith("rest")}
        missing = [n for n, m in known.items() if n not in built and (m.method, m.uri) not in taken]
        for operation in missing[:: max(1, len(missing) // 12)]:
            for protocol in models.service(service).protocols:
                request = write(service, operation, params(service, operation), protocol)
                answer = court.line.send(signed(request, service))
                assert answer.status == 501, (service, operation, answer)
                if operation.startswith("Head"):
                    continue
                error = read(service, operation, answer, protocol)["Error"]
                assert f"{service}:{operation}" in error["Message"], error


def test_what_aws_does_not_have_is_refused_too(court: Court) -> None:
    for service in sorted(SERVICES):
        operation = next(iter(models.service(service).operations))
        if family(service).startswith("rest"):
            request = write(service, operation, params(service, operation))._replace(method="POST", target="/coffee")
            assert 400 <= court.line.send(signed(request, service)).status < 500
            continue
        request = write(service, operation, params(service, operation))
        headers = dict(request.headers)
        if "x-amz-target" in headers:
            headers["x-amz-target"] = headers["x-amz-target"].replace(operation, "MakeCoffee")
        body = request.body.replace(f"Action={operation}".encode(), b"Action=MakeCoffee")
        target = request.target.replace(f"/operation/{operation}", "/operation/MakeCoffee")
        answer = court.line.send(signed(request._replace(headers=headers, body=body, target=target), service))
        assert 400 <= answer.status < 500, answer
        assert b"nvalidAction" in answer.body or b"UnknownOperation" in answer.body, answer
