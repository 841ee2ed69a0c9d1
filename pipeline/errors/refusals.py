"""A guard of ours said no; nothing was written."""

from __future__ import annotations

from pipeline.errors.base import PipelineError


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
    remedy = "Restore it in Entra ID, or set restore: true under guards; then run again."


class SynchronizedTarget(Refusal):
    """The object in Entra ID is owned by the synchronisation service and cannot be written by others."""

    code = "synchronized_target"
    remedy = "Let the synchronisation carry the differences, or provision on demand in the Entra portal."


class PrivilegedTarget(Refusal):
    """The object in Entra ID holds directory roles; the configuration leaves such objects alone."""

    code = "privileged_target"
    remedy = "Have one of the tenant's administrators change it, or set allow_privileged_targets: true."


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


class ObjectBusy(Refusal):
    """Another run is at work on this object."""

    code = "object_busy"
    remedy = "Wait until that run has ended, then run again."
    retry_helps = True
