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
    │   │   └── ObjectDeleted
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
    │   ├── PrivilegedTarget
    │   ├── SynchronizedTenant
    │   ├── KindNotCreatable
    │   ├── MailEnabledGroup
    │   ├── ValueNotAllowed
    │   ├── NotPermitted
    │   ├── ObjectBusy
    │   └── PlanStale
    ├── Interrupted                  the process ended in the middle of the run
    ├── OutcomeUnknown               a write was sent and its answer lost
    ├── WriteNotAllowed              a preview tried to write: a defect, stopped
    ├── RunCancelled                 somebody asked to stop it
    ├── TimeLimit                    it took longer than it may
    └── StoreUnavailable             the run could not be recorded
        └── RunTaken                 another process goes on with it

The first line of a class's docstring is its default message. `code` is stable; people's scripts use it.
"""

from __future__ import annotations

from pipeline.errors.base import (
    PipelineError,
)
from pipeline.errors.directory import (
    DirectoryBindRefused,
    DirectoryBusy,
    DirectoryError,
    DirectoryForbidden,
    DirectoryLimit,
    DirectoryReferral,
    DirectoryTimeout,
    DirectoryUnexpected,
    DirectoryUnreachable,
    DirectoryUntrusted,
    ObjectAmbiguous,
    ObjectDeleted,
    ObjectKindUnknown,
    ObjectNotFound,
)
from pipeline.errors.execution import (
    Interrupted,
    OutcomeUnknown,
    RunCancelled,
    RunTaken,
    StoreUnavailable,
    TimeLimit,
    WriteNotAllowed,
)
from pipeline.errors.refusals import (
    KindNotCreatable,
    MailEnabledGroup,
    MatchAmbiguous,
    MatchByNameOnly,
    MatchTaken,
    NotPermitted,
    ObjectBusy,
    PlanStale,
    PrivilegedTarget,
    Refusal,
    SoftDeletedTwin,
    SynchronizedTarget,
    SynchronizedTenant,
    ValueNotAllowed,
)
from pipeline.errors.requests import (
    ConfigurationError,
    ConfigurationInvalid,
    ConfigurationOutside,
    ConfigurationUnknown,
    IdentifierEmpty,
    IdentifierMalformed,
    IdentifierUnsafe,
    MappingFailed,
    RequestError,
)
from pipeline.errors.tenant import (
    SignInRefused,
    TenantConflict,
    TenantError,
    TenantForbidden,
    TenantNotFound,
    TenantRefused,
    TenantThrottled,
    TenantTimeout,
    TenantUnexpected,
    TenantUnreachable,
    TenantUntrusted,
)

__all__ = [
    "ConfigurationError",
    "ConfigurationInvalid",
    "ConfigurationOutside",
    "ConfigurationUnknown",
    "DirectoryBindRefused",
    "DirectoryBusy",
    "DirectoryError",
    "DirectoryForbidden",
    "DirectoryLimit",
    "DirectoryReferral",
    "DirectoryTimeout",
    "DirectoryUnexpected",
    "DirectoryUnreachable",
    "DirectoryUntrusted",
    "IdentifierEmpty",
    "IdentifierMalformed",
    "IdentifierUnsafe",
    "Interrupted",
    "KindNotCreatable",
    "MailEnabledGroup",
    "MappingFailed",
    "MatchAmbiguous",
    "MatchByNameOnly",
    "MatchTaken",
    "NotPermitted",
    "ObjectAmbiguous",
    "ObjectBusy",
    "ObjectDeleted",
    "ObjectKindUnknown",
    "ObjectNotFound",
    "OutcomeUnknown",
    "PipelineError",
    "PlanStale",
    "PrivilegedTarget",
    "Refusal",
    "RequestError",
    "RunCancelled",
    "RunTaken",
    "SignInRefused",
    "SoftDeletedTwin",
    "StoreUnavailable",
    "SynchronizedTarget",
    "SynchronizedTenant",
    "TenantConflict",
    "TenantError",
    "TenantForbidden",
    "TenantNotFound",
    "TenantRefused",
    "TenantThrottled",
    "TenantTimeout",
    "TenantUnexpected",
    "TenantUnreachable",
    "TenantUntrusted",
    "TimeLimit",
    "ValueNotAllowed",
    "WriteNotAllowed",
]
