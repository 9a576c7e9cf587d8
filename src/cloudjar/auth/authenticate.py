"""Who is asking: the signature is verified always, whatever the operation.

Out of the box the root access key of an account is its number (or ``test``, for the default account) with the secret
``test``, but only on a loopback listener; everything else is a key that IAM or STS issued here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from cloudjar.auth import chunked, post_policy, sigv4
from cloudjar.auth.identity import Identity
from cloudjar.auth.sessions import Sessions
from cloudjar.base.caller import ANONYMOUS, Caller, root
from cloudjar.base.clock import Clock
from cloudjar.base.errors import AwsError
from cloudjar.spec import models
from cloudjar.spec.models import OperationModel, speaks_xml
from cloudjar.wire import host
from cloudjar.wire.message import Request

DEFAULT_SECRET = "test"
_CACHE_LIMIT = 4096


class _Known(NamedTuple):
    caller: Caller
    secret: str
    default: bool = False
    expires: datetime | None = None


class _Verified(NamedTuple):
    """A signature that was found good while the body was still to come."""

    signature: sigv4.Signature
    known: _Known


class Authenticator:
    """Turns a signed request into a caller and the region it signed for."""

    def __init__(
        self,
        clock: Clock,
        sessions: Sessions,
        identity: Callable[[], Identity],
        root_keys: Callable[[str], tuple[str, str] | None],
        default_account: str,
        shut: Callable[[str, str], bool] = lambda account, region: False,
    ) -> None:
        self._clock = clock
        self._sessions = sessions
        self._identity = identity
        self._root_keys = root_keys
        self._default_account = default_account
        self._shut = shut
        """Whether an account lets nobody in, in a region: it was closed, or has not opted in to the region."""
        self._sessions_seen: dict[str, _Known] = {}
        self._defaults: dict[str, _Known] = {}

    def __call__(
        self, request: Request, service: str, operation: OperationModel | None, *, body_read: bool = True
    ) -> tuple[Caller, str]:
        """The caller and the region; raises AWS's answer for a signature that does not hold.

        `operation` is None when it is not in the model: such requests must be signed too. With ``body_read=False`` the
        headers were verified (`begin`) and the body is still to come: ask again once it has.
        """
        if isinstance(request.attached, _Verified):
            verified = request.attached
            self._check_scope(verified.signature, service)
            if body_read:
                sigv4.verify_payload(request, service)
            return self._admitted(verified.signature, verified.known, service)
        signature = sigv4.parse(request, service)
        if signature is None:
            if operation is not None and (operation.auth_type == "none" or service == "s3"):
                return ANONYMOUS, ""  # to S3 anybody may come: the bucket's owner says who may what
            raise missing(service)
        self._check_scope(signature, service)
        _check_region(request, signature, service)
        known = self._need_known(request, signature, service)
        unsigned = operation is not None and operation.auth_type == "unsigned-payload"
        sigv4.verify(request, signature, known.secret, self._clock.real(), dialect=service, unsigned_body=unsigned)
        return self._admitted(signature, known, service)

    def begin_chunked(self, request: Request) -> chunked.ChunkedDecoder:
        """Verify an aws-chunked request by its headers, before its body is read; gives the body's decoder.

        What was verified is kept on the request, so that an upload may take longer than a signature is fresh.
        """
        signature = sigv4.parse(request, "s3")
        if signature is None:
            if request.headers.get("x-amz-content-sha256") == chunked.UNSIGNED_TRAILER:
                return chunked.decoder(request, None)
            raise missing("s3")
        known = self._begin(request, signature)
        return chunked.decoder(request, chunked.seed(signature, known.secret))

    def begin(self, request: Request) -> None:
        """Verify a request to S3 by its headers, before its body is read; an anonymous one is left to be judged."""
        signature = sigv4.parse(request, "s3")
        if signature is not None:
            self._begin(request, signature)

    def _begin(self, request: Request, signature: sigv4.Signature) -> _Known:
        known = self._need_known(request, signature, signature.service)
        sigv4.verify(request, signature, known.secret, self._clock.real(), dialect=signature.service, body_read=False)
        request.attached = _Verified(signature, known)
        return known

    def verify_form(self, request: Request, signature: sigv4.Signature, policy: str) -> object:
        """Verify the policy of a browser's form; gives what makes a request the signer's (`Request.attached`)."""
        known = self._need_known(request, signature, "s3")
        post_policy.verify(signature, known.secret, policy)
        return _Verified(signature, known)

    def _need_known(self, request: Request, signature: sigv4.Signature, service: str) -> _Known:
        known = self._known(signature.key_id, signature.token, request.trusted)
        if known is None:
            raise _invalid_token() if service == "s3" and signature.token else invalid_key(service)
        return known

    def _check_scope(self, signature: sigv4.Signature, service: str) -> None:
        if signature.service != models.service(service).signing_name:
            raise wrong_scope(service, models.service(service).signing_name)

    def presigned(
        self, request: Request, service: str, signing_name: str, seconds: int
    ) -> tuple[Caller, str]:
        """The caller and the region of a presigned request that is of no operation (a token to log in to something),
        made for `signing_name` and for no longer than so many seconds. `service` is in whose words an error is."""
        signature = sigv4.parse(request, service)
        if signature is None or signature.expires is None:
            raise missing(service)
        if signature.service != signing_name or signature.expires > seconds:
            raise wrong_scope(service, signing_name)
        known = self._need_known(request, signature, service)
        sigv4.verify(request, signature, known.secret, self._clock.real(), dialect=service)
        return self._admitted(signature, known, service)

    def proven(
        self, key_id: str, service: str, region_of: Callable[[str], str], *, trusted: bool
    ) -> tuple[Caller, str] | None:
        """Who shows without a signature that he has the secret of a key for life, and for which region: `region_of` a
        secret is "" when he does not. None for everybody else."""
        known = self._known(key_id, "", trusted)
        region = region_of(known.secret) if known is not None else ""
        if known is None or not region:
            return None
        try:
            return self._let_in(known, key_id, region, service)
        except AwsError:
            return None

    def _admitted(self, signature: sigv4.Signature, known: _Known, service: str) -> tuple[Caller, str]:
        return self._let_in(known, signature.key_id, signature.region, service)

    def _let_in(self, known: _Known, key_id: str, region: str, service: str) -> tuple[Caller, str]:
        if self._shut(known.caller.account, region):
            raise invalid_key(service)
        self._check_life(known, service)
        if known.caller.kind == "user":
            self._identity().key_used(key_id, service, region)
        elif known.caller.kind == "role":
            self._identity().role_used(known.caller, region)
        return known.caller, region

    def _known(self, key_id: str, token: str, trusted: bool) -> _Known | None:
        if token:
            return self._session(key_id, token)
        generated = self._root_keys(key_id)
        if generated is not None:
            account, secret = generated
            return _Known(root(account, key_id), secret)
        if key_id == "test" or (len(key_id) == 12 and key_id.isdecimal()):
            return self._default(key_id) if trusted else None
        if len(key_id) != 20 or not key_id.startswith("AKIA"):
            return None
        key = self._identity().key(key_id)
        return _Known(key.caller, key.secret) if key is not None and key.active else None

    def _default(self, key_id: str) -> _Known:
        known = self._defaults.get(key_id)
        if known is None:
            account = self._default_account if key_id == "test" else key_id
            known = _Known(root(account, key_id), DEFAULT_SECRET, default=True)
            if len(self._defaults) < _CACHE_LIMIT:
                self._defaults[key_id] = known
        return known

    def _session(self, key_id: str, token: str) -> _Known | None:
        known = self._sessions_seen.get(token)
        if known is None:
            session = self._sessions.open(token)
            if session is None:
                return None
            known = _Known(session.caller, session.secret, expires=session.caller.expires)
            if len(self._sessions_seen) >= _CACHE_LIMIT:
                self._sessions_seen.clear()
            self._sessions_seen[token] = known
        return known if known.caller.access_key_id == key_id else None

    def _check_life(self, known: _Known, service: str) -> None:
        if known.expires is None:
            return
        if known.expires <= self._clock.now():
            raise AwsError(
                "RequestExpired"
                if service == "ec2"
                else "ExpiredToken"
                if speaks_xml(service)
                else "ExpiredTokenException",
                "The security token included in the request is expired"
                if service != "s3"
                else "The provided token has expired.",
                400 if service in ("s3", "ec2") else 403,
            )
        if not self._identity().exists(known.caller):
            raise invalid_key(service)
        # Sessions of a user (GetSessionToken, GetFederationToken) reach IAM only when signed in with MFA.
        if service == "iam" and known.caller.kind in ("user", "federated") and known.caller.mfa_at is None:
            raise invalid_key(service)


def invalid_key(service: str) -> AwsError:
    """A key id that does not exist, a session token without its key, a deleted principal."""
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if service == "s3":
        return AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    code = "InvalidClientTokenId" if speaks_xml(service) else "UnrecognizedClientException"
    return AwsError(code, "The security token included in the request is invalid.", 403 if speaks_xml(service) else 400)


def _invalid_token() -> AwsError:
    """S3 tells a session token that is none from a key that is none."""
    return AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", 400)


def _check_region(request: Request, signature: sigv4.Signature, service: str) -> None:
    """A signature for one region does not hold at the address of another."""
    named = host.region(request.headers.get("host", ""))
    if named not in ("", signature.region):
        if service == "s3":
            raise AwsError(
                "AuthorizationHeaderMalformed",
                f"The authorization header is malformed; the region '{signature.region}' is wrong; expecting '{named}'",
                400,
                members={"Region": named},
            )
        code = "SignatureDoesNotMatch" if speaks_xml(service) else "InvalidSignatureException"
        message = f"Credential should be scoped to a valid region, not '{signature.region}'. "
        raise AwsError(*(("AuthFailure", message, 401) if service == "ec2" else (code, message, 403)))


def wrong_scope(service: str, signing_name: str) -> AwsError:
    """A signature made for another service."""
    message = f"Credential should be scoped to correct service: '{signing_name}'. "
    if service == "ec2":
        return AwsError("AuthFailure", message, 401)
    return AwsError("SignatureDoesNotMatch" if speaks_xml(service) else "InvalidSignatureException", message, 403)


def missing(service: str) -> AwsError:
    """A request without any signature."""
    if service == "s3":
        return AwsError("AccessDenied", "Access Denied", 403)
    if speaks_xml(service) or service == "ec2":
        return AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    return AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 400)
