"""Microsoft Entra ID does not answer, or answers something else."""

from __future__ import annotations

from pipeline.errors.base import PipelineError


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
