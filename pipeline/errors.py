"""Every way a run can end other than well, on one screen.

    PipelineError
    ├── RequestError                 what was typed cannot be used
    │   ├── IdentifierEmpty
    │   ├── IdentifierMalformed
    │   └── IdentifierUnsafe
    ├── ConfigurationError           the rules are wrong
    │   ├── ConfigurationInvalid
    │   ├── ConfigurationUnknown
    │   ├── ConfigurationOutside
    │   └── MappingFailed
    ├── DirectoryError               Active Directory
    │   ├── ObjectNotFound
    │   ├── ObjectAmbiguous
    │   ├── ObjectKindUnknown
    │   ├── DirectoryUnreachable
    │   ├── DirectoryTimeout
    │   ├── DirectoryUntrusted
    │   ├── DirectoryBindRefused
    │   ├── DirectoryForbidden
    │   ├── DirectoryBusy
    │   ├── DirectoryReferral
    │   ├── DirectoryLimit
    │   └── DirectoryUnexpected
    ├── TenantError                  Microsoft Entra ID
    │   ├── SignInRefused
    │   ├── TenantUnreachable
    │   ├── TenantTimeout
    │   ├── TenantUntrusted
    │   ├── TenantThrottled
    │   ├── TenantForbidden
    │   ├── TenantRefused
    │   ├── TenantConflict
    │   ├── TenantNotFound
    │   └── TenantUnexpected
    ├── Refusal                      a guard of ours said no; nothing was written
    │   ├── MatchAmbiguous
    │   ├── MatchTaken
    │   ├── MatchByNameOnly
    │   ├── SoftDeletedTwin
    │   ├── SynchronizedTarget
    │   ├── SynchronizedTenant
    │   ├── KindNotCreatable
    │   ├── MailEnabledGroup
    │   ├── ValueNotAllowed
    │   ├── NotPermitted
    │   └── PlanStale
    ├── Interrupted                  the process ended in the middle of the run
    ├── OutcomeUnknown               a write was sent and its answer lost
    ├── WriteNotAllowed              a preview tried to write: a defect, stopped
    └── StoreUnavailable             the run could not be recorded

The first line of a class's docstring is its default message. `code` is stable; people's scripts use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PipelineError(Exception):
    """The run could not be completed."""

    code: ClassVar[str] = "pipeline"
    remedy: str = "Look in the log for the support id."
    retry_helps: ClassVar[bool] = False
    unreachable: ClassVar[bool] = False
    """Whether a system could not be reached (exit status 3 on the command line)."""

    def __init__(
        self, message: str = "", *, remedy: str | None = None, ids: Mapping[str, str] | None = None
    ) -> None:
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.ids = dict(ids or {})
        """Correlation ids that support asks for, such as Graph's request-id."""
        if remedy is not None:
            self.remedy = remedy
        super().__init__(self.message)


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


class DirectoryError(PipelineError):
    """Active Directory did not give the object."""

    code = "directory"


class ObjectNotFound(DirectoryError):
    """Active Directory has no such object, or the bot's account may not see it."""

    code = "object_not_found"
    remedy = "Check the spelling; a moved object has a new distinguished name."


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
    remedy = "Add that domain as FOURCHECK_DIRECTORIES__NAME__URLS and so on, and name it in a configuration."


class DirectoryLimit(DirectoryError):
    """The domain controller stopped at one of its limits."""

    code = "directory_limit"
    remedy = "Ask for less, or raise the limit in the directory's query policy."


class DirectoryUnexpected(DirectoryError):
    """Active Directory answered in a way that is not understood."""

    code = "directory_unexpected"
    retry_helps = True


class TenantError(PipelineError):
    """Microsoft Entra ID did not do what was asked."""

    code = "tenant"


class SignInRefused(TenantError):
    """Entra ID refused the bot's sign-in."""

    code = "sign_in_refused"
    remedy = (
        "Check FOURCHECK_ENTRA__TENANT_ID, FOURCHECK_ENTRA__CLIENT_ID and whether the secret has expired."
    )
    unreachable = True


class TenantUnreachable(TenantError):
    """Microsoft Entra ID could not be reached."""

    code = "tenant_unreachable"
    remedy = (
        "Check the way out to login.microsoftonline.com and graph.microsoft.com, and FOURCHECK_PROXY__URL."
    )
    retry_helps = True
    unreachable = True


class TenantTimeout(TenantError):
    """Microsoft Entra ID did not answer in time."""

    code = "tenant_timeout"
    remedy = "Try again in a minute."
    retry_helps = True
    unreachable = True


class TenantUntrusted(TenantError):
    """The certificate on the way to Microsoft Entra ID is not trusted."""

    code = "tenant_untrusted"
    remedy = "If a proxy inspects TLS, point FOURCHECK_ENTRA__CA_FILE at its CA."
    unreachable = True


class TenantThrottled(TenantError):
    """Microsoft Graph asks to slow down."""

    code = "tenant_throttled"
    remedy = "Try again after a few minutes."
    retry_helps = True
    unreachable = True


class TenantForbidden(TenantError):
    """The app registration lacks a permission, or the target is a privileged user."""

    code = "tenant_forbidden"
    remedy = (
        "Grant and consent the permission named in the README, or leave privileged users to their admins."
    )


class TenantRefused(TenantError):
    """Microsoft Graph refused the request."""

    code = "tenant_refused"
    remedy = "Correct the value named in the message, in Active Directory or in the mapping."


class TenantConflict(TenantError):
    """Another object in Entra ID already holds a value that must be unique."""

    code = "tenant_conflict"
    remedy = "Find the other object and decide which of the two is right; then run again."


class TenantNotFound(TenantError):
    """The object is not, or not yet, in Entra ID."""

    code = "tenant_not_found"
    remedy = "Run again; if it stays, the object was deleted meanwhile."
    retry_helps = True


class TenantUnexpected(TenantError):
    """Microsoft Graph answered in a way that is not understood."""

    code = "tenant_unexpected"
    remedy = "Try again; if it stays, give Microsoft support the request-id."
    retry_helps = True


class Refusal(PipelineError):
    """Fourcheck will not do this; nothing was written."""

    code = "refused"


class MatchAmbiguous(Refusal):
    """Several objects in Entra ID match, and guessing is not an option."""

    code = "match_ambiguous"
    remedy = "Make the matching value unique in Entra ID, or set the anchor on the right one."


class MatchTaken(Refusal):
    """The object in Entra ID that matches already belongs to another directory object."""

    code = "match_taken"
    remedy = "Clear the wrong anchor in Entra ID, or correct the matching value in Active Directory."


class MatchByNameOnly(Refusal):
    """Something in Entra ID has the same name and nothing else to recognise it by."""

    code = "match_by_name_only"
    remedy = "Rename one of the two, or delete the cloud group if it is a leftover."


class SoftDeletedTwin(Refusal):
    """The same object lies among the deleted ones in Entra ID; creating it again would make a twin."""

    code = "soft_deleted_twin"
    remedy = "Restore it in Entra ID, then run again."


class SynchronizedTarget(Refusal):
    """The object in Entra ID is owned by the synchronisation service and cannot be written by others."""

    code = "synchronized_target"
    remedy = "Let the synchronisation carry the differences, or provision on demand in the Entra portal."


class SynchronizedTenant(Refusal):
    """This tenant is fed by directory synchronisation; creating beside it would make twins."""

    code = "synchronized_tenant"
    remedy = "Let the synchronisation create it, or set allow_create_in_synced_tenant: true under guards."


class KindNotCreatable(Refusal):
    """Microsoft Graph cannot create objects of this kind."""

    code = "kind_not_creatable"
    remedy = "Contacts reach Entra ID through the synchronisation service or Exchange."


class MailEnabledGroup(Refusal):
    """Microsoft Graph cannot create or change mail-enabled groups and distribution lists."""

    code = "mail_enabled_group"
    remedy = "Leave this group to the synchronisation service or Exchange."


class ValueNotAllowed(Refusal):
    """A value cannot be written to Entra ID as it is."""

    code = "value_not_allowed"
    remedy = "Correct the attribute in Active Directory or the mapping in the configuration."


class NotPermitted(Refusal):
    """You may not do this with the configuration that covers this object."""

    code = "not_permitted"
    remedy = "Ask someone who is named in the configuration's access rules."


class PlanStale(Refusal):
    """What was planned no longer fits: something changed in between."""

    code = "plan_stale"
    remedy = "Preview again and look at the new plan."
    retry_helps = True


class OutcomeUnknown(PipelineError):
    """A write was sent, its answer was lost, and whether it was carried out cannot be told."""

    code = "outcome_unknown"
    remedy = "Look at the object in Entra ID before running again."


class Interrupted(PipelineError):
    """Fourcheck was stopped during this run."""

    code = "interrupted"
    remedy = "Run again: what is already right is left as it is."
    retry_helps = True


class WriteNotAllowed(PipelineError):
    """A write was attempted outside of applying a plan, and stopped."""

    code = "write_not_allowed"
    remedy = "This is a defect; nothing was written. Report it with the support id."


class StoreUnavailable(PipelineError):
    """The run could not be recorded, so nothing was done."""

    code = "store_unavailable"
    remedy = "Check the disk and FOURCHECK_STORE__URL, then run again."
    retry_helps = True
    unreachable = True
