"""What was typed, or the rules themselves, cannot be used."""

from __future__ import annotations

from pipeline.errors.base import PipelineError


class RequestError(PipelineError):
    """What was typed cannot be used."""

    code = "request"


class IdentifierEmpty(RequestError):
    """Nothing was typed to look for."""

    code = "identifier_empty"
    remedy = "Type the distinguished name of a user or group."


class IdentifierMalformed(RequestError):
    """What was typed is not a distinguished name, nor any other identifier of an object."""

    code = "identifier_malformed"
    remedy = "Copy the distinguishedName from the object's attributes in Active Directory."


class IdentifierUnsafe(RequestError):
    """The identifier holds invisible control characters, which could make it read as something else."""

    code = "identifier_unsafe"
    remedy = "Type it again by hand, write the character as a hex pair such as \\0A, or use the objectGUID."


class ConfigurationError(PipelineError):
    """The configuration cannot be used."""

    code = "configuration"
    remedy = "Ask an administrator to correct the configuration file."


class ConfigurationInvalid(ConfigurationError):
    """The configuration file is wrong."""

    code = "configuration_invalid"


class ConfigurationUnknown(ConfigurationError):
    """There is no configuration of that name."""

    code = "configuration_unknown"
    remedy = "Leave the name out, or use one of those listed."


class ConfigurationOutside(ConfigurationError):
    """No configuration covers this object."""

    code = "configuration_outside"
    remedy = "Name a configuration, or add one whose base holds the object."


class MappingFailed(ConfigurationError):
    """A mapping could not be evaluated for this object."""

    code = "mapping_failed"
    remedy = "Correct the attribute in Active Directory or the mapping in the configuration."
