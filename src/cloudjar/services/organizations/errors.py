"""Organizations' refusals, in AWS's words. Constraint and input errors carry a `Reason` beside the message.

https://docs.aws.amazon.com/organizations/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def _plain(code: str, message: str) -> AwsError:
    return AwsError(code, message, 400)


def not_in_use() -> AwsError:
    """The caller's account is in no organization."""
    return _plain("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")


def not_permitted() -> AwsError:
    """What is for the management account (or a delegated administrator) alone."""
    return _plain("AccessDeniedException", "You don't have permissions to access this resource.")


def already_in_organization() -> AwsError:
    """An account is in one organization at most."""
    return _plain("AlreadyInOrganizationException", "The AWS account is already a member of an organization.")


def no_linked_role() -> AwsError:
    """The caller may create the organization but not the service-linked role that goes with it."""
    return AwsError(
        "AccessDeniedForDependencyException",
        "The request failed because your credentials do not have permission to create the service-linked role required "
        "by AWS Organizations.",
        400,
        members={"Reason": "ACCESS_DENIED_DURING_CREATE_SERVICE_LINKED_ROLE"},
    )


def constraint(reason: str, message: str) -> AwsError:
    """A limit; `reason` is one of ConstraintViolationExceptionReason."""
    return AwsError("ConstraintViolationException", message, 400, members={"Reason": reason})


def invalid(reason: str, message: str) -> AwsError:
    """An impossible parameter; `reason` is one of InvalidInputExceptionReason."""
    return AwsError("InvalidInputException", message, 400, members={"Reason": reason})


def handshake_constraint(reason: str, message: str) -> AwsError:
    """An invitation that cannot be; `reason` is one of HandshakeConstraintViolationExceptionReason."""
    return AwsError("HandshakeConstraintViolationException", message, 400, members={"Reason": reason})


def missing(what: str) -> AwsError:
    """Something that is not in the organization; `what` is one of the names below."""
    code, noun = _MISSING[what]
    return _plain(code, f"You specified {noun} that doesn't exist.")


_MISSING = {
    "account": ("AccountNotFoundException", "an account"),
    "ou": ("OrganizationalUnitNotFoundException", "an organizational unit"),
    "root": ("RootNotFoundException", "a root"),
    "parent": ("ParentNotFoundException", "a parent"),
    "source": ("SourceParentNotFoundException", "a source parent"),
    "destination": ("DestinationParentNotFoundException", "a destination parent"),
    "child": ("ChildNotFoundException", "a child"),
    "target": ("TargetNotFoundException", "a target"),
    "policy": ("PolicyNotFoundException", "a policy"),
    "handshake": ("HandshakeNotFoundException", "a handshake"),
    "status": ("CreateAccountStatusNotFoundException", "a create account request"),
    "resource policy": ("ResourcePolicyNotFoundException", "a resource policy"),
}


def not_empty() -> AwsError:
    """An organization that still has members, OUs or policies."""
    return _plain(
        "OrganizationNotEmptyException",
        "To delete an organization you must first remove all member accounts (except the master).",
    )


def unit_not_empty() -> AwsError:
    """An OU that still holds accounts or OUs."""
    return _plain(
        "OrganizationalUnitNotEmptyException",
        "The specified OU is not empty. Move all accounts to another root or to other OUs, "
        "remove all child OUs, and try the operation again.",
    )


def duplicate_unit() -> AwsError:
    """Two OUs of one parent cannot share a name."""
    return _plain("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")


def duplicate_account() -> AwsError:
    """The account is where it should go, or in the organization that invites it."""
    return _plain("DuplicateAccountException", "That account is already present in the specified destination.")


def duplicate_policy() -> AwsError:
    """Names of policies are unique by type."""
    return _plain("DuplicatePolicyException", "A policy with the same name already exists.")


def policy_in_use() -> AwsError:
    """A policy that is attached somewhere."""
    return _plain("PolicyInUseException", "You can't delete the policy because it's attached to an entity.")


def already_attached() -> AwsError:
    """Once is enough."""
    return _plain(
        "DuplicatePolicyAttachmentException", "The selected policy is already attached to the specified target."
    )


def not_attached() -> AwsError:
    """Nothing to detach."""
    return _plain(
        "PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root."
    )


def malformed(message: str) -> AwsError:
    """A document that the policy language refuses."""
    return _plain("MalformedPolicyDocumentException", message)


def type_enabled() -> AwsError:
    """The root has this policy type."""
    return _plain("PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled.")


def type_not_enabled() -> AwsError:
    """The root does not have this policy type."""
    return _plain("PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types.")


def type_not_available() -> AwsError:
    """Consolidated billing knows no policies."""
    return _plain(
        "PolicyTypeNotAvailableForOrganizationException",
        "You can't use the specified policy type with the feature set currently enabled for this organization.",
    )


def master_cannot_leave() -> AwsError:
    """The management account stays till the end."""
    return _plain(
        "MasterCannotLeaveOrganizationException",
        "You can't remove a management account from an organization. If you want the management account to become a "
        "member account in another organization, you must first delete the current organization.",
    )


def already_closed() -> AwsError:
    """The account is closed or about to be."""
    return _plain("AccountAlreadyClosedException", "You attempted to close an account that is already closed.")


def already_registered() -> AwsError:
    """The account is a delegated administrator of this service."""
    return _plain(
        "AccountAlreadyRegisteredException",
        "The provided account is already a delegated administrator for your organization.",
    )


def not_registered() -> AwsError:
    """The account is no delegated administrator of this service."""
    return _plain(
        "AccountNotRegisteredException",
        "The provided account is not a registered delegated administrator for your organization.",
    )


def duplicate_handshake() -> AwsError:
    """The account was invited already."""
    return _plain("DuplicateHandshakeException", "A handshake with the same action and target already exists.")


def handshake_in_state(state: str) -> AwsError:
    """What was asked has happened before."""
    return _plain(
        "HandshakeAlreadyInStateException", f"The specified handshake is already in the requested state: {state}."
    )


def handshake_over(state: str) -> AwsError:
    """A handshake that has come to another end."""
    return _plain(
        "InvalidHandshakeTransitionException",
        f"You can't perform the operation on the handshake in its current state: {state}.",
    )


def too_many_tags() -> AwsError:
    """Fifty on a resource."""
    return constraint("MAX_TAG_LIMIT_EXCEEDED", "You have exceeded the number of tags allowed on this resource.")


def type_not_built(kind: str) -> AwsError:
    """501: a policy type that the product does not know enough of to keep honestly."""
    return AwsError("NotImplemented", f"organizations: policies of the type {kind} are not built in Cloudjar yet.", 501)


def no_effective_policy() -> AwsError:
    """Nothing of the type is attached on the way down."""
    return _plain(
        "EffectivePolicyNotFoundException",
        "If you ran this action on the management account, this policy type is not enabled. If you ran the action on a "
        "member account, the account doesn't have an effective policy of this type.",
    )
