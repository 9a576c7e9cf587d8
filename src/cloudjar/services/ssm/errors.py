"""Parameter Store's refusals, in AWS's words where they are known (README.md names the others).

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html#API_PutParameter_Errors
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError

_ADVANCED = (
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
)


def invalid(message: str) -> AwsError:
    """A request that cannot be."""
    return AwsError("ValidationException", message)


def not_found() -> AwsError:
    """No such parameter. AWS says no more than the code."""
    return AwsError("ParameterNotFound", "")


def no_secret(name: str) -> AwsError:
    """A reference to a secret that is not there."""
    return AwsError(
        "ParameterNotFound",
        f"An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret {name} not found.",
    )


def version_not_found(name: str, selector: str) -> AwsError:
    """The parameter is there, the version or label is not."""
    kind = "version" if selector.isdigit() else "version label"
    return AwsError(
        "ParameterVersionNotFound",
        f"Systems Manager could not find {kind} {selector} of {name}. Verify the version and try again.",
    )


def exists() -> AwsError:
    """The name is taken, and overwriting was not asked for."""
    return AwsError(
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    )


def bad_path() -> AwsError:
    """A path that does not begin with a slash."""
    return invalid(
        "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward "
        'slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, '
        "or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All "
        'sub-paths, if specified, must use the forward slash symbol "/". Valid example: '
        "/get/parameters2-/by1./path0_."
    )


def bad_name() -> AwsError:
    """A name with other characters, or one that AWS keeps to itself."""
    return invalid(
        'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of '
        "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the "
        "following 3 symbols .-_"
    )


def bad_prefix() -> AwsError:
    """A plain name that AWS keeps to itself."""
    return invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')


def reserved(name: str) -> AwsError:
    """A name below /aws."""
    return AwsError("AccessDeniedException", f"No access to reserved parameter name: {name}.")


def not_qualified() -> AwsError:
    """A path without its leading slash."""
    return invalid("Parameter name must be a fully qualified name.")


def too_deep() -> AwsError:
    """More than fifteen levels."""
    return AwsError("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of 15 levels.")


def too_large(tier: str, most: int) -> AwsError:
    """A value beyond what its tier takes."""
    if tier == "Standard":
        return invalid(
            f"Standard tier parameters support a maximum parameter value of {most} characters. To create a larger "
            f"parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
            f"{_ADVANCED}"
        )
    return invalid(f"Advanced tier parameters support a maximum parameter value of {most} characters.")


def too_many(tier: str, most: int) -> AwsError:
    """As many parameters of a tier as there can be."""
    text = f"You have reached the maximum number of {tier.lower()} parameters for this AWS account and Region ({most})."
    if tier == "Standard":
        text += (
            " To add more parameters, either delete existing parameters or upgrade to the advanced-parameter tier "
            "(charges apply)."
        )
    return AwsError("ParameterLimitExceeded", text)


def no_downgrade() -> AwsError:
    """From advanced to standard there is no way."""
    return invalid(
        "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter "
        "tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as "
        f"a standard parameter. For more information, see {_ADVANCED}"
    )


def tags_with_overwrite() -> AwsError:
    """Tags belong to the making of a parameter."""
    return invalid(
        "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove "
        "overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
        "RemoveTagsFromResource."
    )


def type_changed() -> AwsError:
    """A parameter keeps its type."""
    return AwsError(
        "HierarchyTypeMismatchException",
        "Parameter Store does not support changing a parameter type in a hierarchy. For example, you can't change a "
        "parameter from a String type to a SecureString type. You must create a new, unique parameter.",
    )


def pattern_mismatch(pattern: str) -> AwsError:
    """A value that its AllowedPattern does not admit."""
    return AwsError(
        "ParameterPatternMismatchException",
        f"Parameter value, cannot be validated against allowedPattern: {pattern}",
    )


def bad_pattern() -> AwsError:
    """An AllowedPattern that is no regular expression."""
    return AwsError("InvalidAllowedPatternException", "The request does not meet the regular expression requirement.")


def oldest_is_labelled(name: str, number: int) -> AwsError:
    """A hundred versions, and the oldest is kept by its label."""
    return AwsError(
        "ParameterMaxVersionLimitExceeded",
        f"You attempted to create a new version of {name} by calling the PutParameter API with the overwrite flag. "
        f"Version {number}, the oldest version, can't be deleted because it has a label associated with it. Move the "
        "label to another version of the parameter, and try again.",
    )


def too_many_labels() -> AwsError:
    """An eleventh label."""
    return AwsError(
        "ParameterVersionLabelLimitExceeded",
        "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.",
    )


def bad_filter_key(key: str, valid: tuple[str, ...]) -> AwsError:
    """A filter that the operation does not know."""
    return AwsError(
        "InvalidFilterKey",
        f"The following filter key is not valid: {key}. Valid filter keys include: [{', '.join(valid)}].",
    )


def bad_filter_option(option: str, valid: tuple[str, ...]) -> AwsError:
    """A comparison that the filter does not know."""
    return AwsError(
        "InvalidFilterOption",
        f"The following filter option is not valid: {option}. Valid options include: [{', '.join(valid)}].",
    )


def bad_filter_value(value: str) -> AwsError:
    """A value that the filter cannot have."""
    return AwsError("InvalidFilterValue", f"The following filter value is not valid: {value}.")


def missing_filter_values(key: str) -> AwsError:
    """A filter without values."""
    return AwsError("InvalidFilterValue", f"The following filter values are missing : null for filter key {key}")


def filter_twice(key: str) -> AwsError:
    """The same filter more than once."""
    return invalid(
        f"The following filters are duplicated in the request: {key}. A request can contain only one occurrence of a "
        "specific filter."
    )


def two_filters() -> AwsError:
    """Old and new filters in one request."""
    return invalid("You can use either Filters or ParameterFilters in a single request.")


def bad_policy_type() -> AwsError:
    """A parameter policy of another kind."""
    return AwsError(
        "InvalidPolicyTypeException",
        "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, "
        "ExpirationNotification, and NoChangeNotification.",
    )


def bad_policy(why: str = "") -> AwsError:
    """A parameter policy that says what cannot be."""
    return AwsError(
        "InvalidPolicyAttributeException", f"A policy attribute or its value is invalid.{' ' if why else ''}{why}"
    )


def policies_conflict() -> AwsError:
    """Two policies of which there can be one."""
    return AwsError(
        "IncompatiblePolicyException",
        "There is a conflict in the policies specified for this parameter. You can't, for example, specify two "
        "Expiration policies for a parameter. Review your policies, and try again.",
    )


def too_many_policies() -> AwsError:
    """An eleventh policy."""
    return AwsError(
        "PoliciesLimitExceededException",
        "You specified more than the maximum number of allowed policies for the parameter. The maximum is 10.",
    )


def no_resource() -> AwsError:
    """Tags of a thing that is not there."""
    return AwsError(
        "InvalidResourceId",
        "The resource ID is not valid. Verify that you entered the correct ID and try again.",
    )


def too_many_tags() -> AwsError:
    """A fifty-first tag."""
    return AwsError(
        "TooManyTagsError",
        "The Targets parameter includes too many tags. Remove one or more tags and try the command again.",
    )


def not_built(what: str) -> AwsError:
    """A part of an operation that is not built: it says so, and nothing happens."""
    return AwsError("NotImplemented", f"ssm: {what} is not built in Cloudjar yet.", 501)


def no_setting() -> AwsError:
    """A service setting that nobody provisioned."""
    return AwsError(
        "ServiceSettingNotFound",
        "The specified service setting wasn't found. Either the service name or the setting hasn't been provisioned "
        "by the Amazon Web Services service team.",
    )


def no_shared_resource(arn: str) -> AwsError:
    """A resource policy on a thing that is not there."""
    return AwsError("ResourceNotFoundException", f"The specified parameter to be shared could not be found: {arn}")


def bad_share(message: str) -> AwsError:
    """A resource policy that cannot be on this thing."""
    return AwsError("ResourcePolicyInvalidParameterException", message)


def malformed_share() -> AwsError:
    """A resource policy that is none."""
    return AwsError(
        "MalformedResourcePolicyDocumentException",
        "The specified policy document is malformed or invalid, or excessive PutResourcePolicy or "
        "DeleteResourcePolicy calls have been made.",
    )


def no_share() -> AwsError:
    """A resource policy of another id."""
    return AwsError(
        "ResourcePolicyNotFoundException", "No policies with the specified policy ID and hash could be found."
    )


def share_conflict() -> AwsError:
    """A resource policy that somebody else changed meanwhile."""
    return AwsError(
        "ResourcePolicyConflictException",
        "The hash provided in the call doesn't match the stored hash. This exception is thrown when trying to update "
        "an obsolete policy version or when multiple requests to update a policy are sent.",
    )


def kms_refused(refused: AwsError, request_id: str) -> AwsError:
    """What KMS answered, passed on: without permission as such, else as a key that cannot be used."""
    if refused.is_server_fault:
        return refused
    code = "AccessDeniedException" if refused.code.startswith("AccessDenied") else "InvalidKeyId"
    return AwsError(
        code,
        f"{refused.message} (Service: AWSKMS; Status Code: 400; Error Code: {refused.code}; Request ID: {request_id}; "
        "Proxy: null)",
    )
