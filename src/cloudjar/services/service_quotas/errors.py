"""Service Quotas' refusals, in AWS's words.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_RequestServiceQuotaIncrease.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError


def no_service() -> AwsError:
    """A service without quotas here; a global one asked for outside us-east-1 too."""
    return AwsError("NoSuchResourceException", "The request failed because the specified service does not exist.")


def no_quota() -> AwsError:
    """A quota that the service does not have."""
    return AwsError("NoSuchResourceException", "The request failed because the specified service quota does not exist.")


def no_request() -> AwsError:
    """A request that was never made, or by somebody else."""
    return AwsError("NoSuchResourceException", "The request failed because the specified request does not exist.")


def already_open() -> AwsError:
    """One at a time."""
    return AwsError(
        "ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota."
    )


def not_greater() -> AwsError:
    """A value that is no increase."""
    return AwsError("IllegalArgumentException", "You must provide a quota value greater than the current quota value")


def not_adjustable() -> AwsError:
    """A quota that is the same for everybody for ever."""
    return AwsError("IllegalArgumentException", "The specified service quota is not adjustable.")


def no_contexts() -> AwsError:
    """A quota of a single resource, of which there are none."""
    return AwsError("IllegalArgumentException", "The specified service quota does not apply at the resource level.")


def templates_elsewhere() -> AwsError:
    """Templates are in us-east-1 alone."""
    return AwsError(
        "TemplatesNotAvailableInRegionException", "The Service Quotas template is not available in this AWS Region."
    )


def no_organization() -> AwsError:
    """An account that is in none."""
    return AwsError(
        "NoAvailableOrganizationException", "The account making this call is not a member of an organization."
    )


def not_management() -> AwsError:
    """Only the management account has a template."""
    return AwsError("AccessDeniedException", "Only the management account of an organization can use the template.")


def no_trusted_access() -> AwsError:
    """The organization does not let Service Quotas in."""
    return AwsError(
        "AWSServiceAccessNotEnabledException",
        "The action you attempted is not allowed unless Service Access with Service Quotas is enabled in your "
        "organization.",
    )


def not_all_features() -> AwsError:
    """An organization for bills alone."""
    return AwsError(
        "OrganizationNotInAllFeaturesModeException",
        "The organization that your account belongs to is not in All Features mode.",
    )


def dependency_denied(message: str) -> AwsError:
    """The caller may not ask Organizations."""
    return AwsError("DependencyAccessDeniedException", message)


def template_not_in_use() -> AwsError:
    """Nothing to take away."""
    return AwsError(
        "ServiceQuotaTemplateNotInUseException",
        "The quota request template is not associated with your organization.",
    )


def template_full() -> AwsError:
    """Ten quotas at the most."""
    return AwsError(
        "QuotaExceededException", "You have exceeded your service quota: a template holds 10 quotas at the most."
    )


def not_in_template() -> AwsError:
    """A line that the template does not have."""
    return AwsError("NoSuchResourceException", "The specified quota increase request is not in the template.")


def too_many_tags() -> AwsError:
    """More than fifty."""
    return AwsError("TooManyTagsException", "You've exceeded the number of tags allowed for a resource.")


def reserved_tag() -> AwsError:
    """A key of AWS's own."""
    return AwsError("IllegalArgumentException", "Tag keys cannot begin with aws:.")


def no_report() -> AwsError:
    """A report that nobody asked for here."""
    return AwsError("NoSuchResourceException", "The request failed because the specified report does not exist.")
