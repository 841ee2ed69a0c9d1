"""Active Directory does not answer, or answers something else."""

from __future__ import annotations

from pipeline.errors.base import PipelineError


class DirectoryError(PipelineError):
    """Active Directory did not give the object."""

    code = "directory"
    fault: str = ""
    """The row of the fault table that it is (docs/connect-active-directory.md), where it is one."""


class ObjectNotFound(DirectoryError):
    """Active Directory has no such object, or the bot's account may not see it."""

    code = "object_not_found"
    remedy = "Check the spelling; a moved object has a new distinguished name."


class ObjectDeleted(ObjectNotFound):
    """The object was deleted from Active Directory."""

    code = "object_deleted"
    remedy = "If that was a mistake, restore it from the Active Directory Recycle Bin, and run this again."


class ObjectAmbiguous(DirectoryError):
    """More than one object answers to that identifier."""

    code = "object_ambiguous"
    remedy = "Use the distinguished name of the one you mean."


class ObjectKindUnknown(DirectoryError):
    """Objects of this class are not handled."""

    code = "object_kind_unknown"
    remedy = "Users, inetOrgPersons and groups can be provisioned."


class DirectoryUnreachable(DirectoryError):
    """No domain controller could be reached."""

    code = "directory_unreachable"
    remedy = (
        "Check FOURCHECK_DIRECTORY__URLS, name resolution and the firewall towards the domain controllers."
    )
    retry_helps = True
    unreachable = True


class DirectoryTimeout(DirectoryError):
    """The domain controller did not answer in time."""

    code = "directory_timeout"
    remedy = "Try again; if it stays, look at the domain controller's load."
    retry_helps = True
    unreachable = True


class DirectoryUntrusted(DirectoryError):
    """The domain controller's certificate is not trusted."""

    code = "directory_untrusted"
    remedy = (
        "Point FOURCHECK_DIRECTORY__CA_FILE at the CA that issued it, and use the name it was issued for."
    )
    unreachable = True


class DirectoryBindRefused(DirectoryError):
    """Active Directory refused the bot's own account."""

    code = "directory_bind_refused"
    remedy = "Correct FOURCHECK_DIRECTORY__BIND_DN and FOURCHECK_DIRECTORY__BIND_PASSWORD."
    unreachable = True


class DirectoryForbidden(DirectoryError):
    """The bot's account may not read this in Active Directory."""

    code = "directory_forbidden"
    remedy = "Grant the account read access to this part of the directory."


class DirectoryBusy(DirectoryError):
    """The domain controller says that it is busy or unavailable."""

    code = "directory_busy"
    remedy = "Try again in a minute."
    retry_helps = True
    unreachable = True


class DirectoryReferral(DirectoryError):
    """The object lies in another domain."""

    code = "directory_referral"
    remedy = (
        "Add that domain by FOURCHECK_DIRECTORIES__NAME__URLS, FOURCHECK_DIRECTORIES__NAME__BIND_DN, "
        "FOURCHECK_DIRECTORIES__NAME__BIND_PASSWORD and FOURCHECK_DIRECTORIES__NAME__BASE_DN, with a name of "
        "your choice for NAME, and write directory: with that name into a configuration."
    )


class DirectoryLimit(DirectoryError):
    """The domain controller stopped at one of its limits."""

    code = "directory_limit"
    remedy = "Ask for less, or raise the limit in the directory's query policy."


class DirectoryUnexpected(DirectoryError):
    """Active Directory answered in a way that is not understood."""

    code = "directory_unexpected"
    retry_helps = True
