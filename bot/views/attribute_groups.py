"""Which attributes belong together, in the order in which people look for them."""

from __future__ import annotations

from typing import Final

_GROUPS: Final = {
    "Identity": (
        "cn displayName name givenName initials middleName sn distinguishedName canonicalName objectGUID "
        "objectSid objectClass objectCategory sAMAccountName userPrincipalName mS-DS-ConsistencyGuid "
        "msDS-ExternalDirectoryObjectId sIDHistory"
    ),
    "Account": (
        "userAccountControl msDS-User-Account-Control-Computed accountExpires adminCount badPwdCount "
        "lastLogonTimestamp lockoutTime pwdLastSet sAMAccountType primaryGroupID servicePrincipalName "
        "altSecurityIdentities userCertificate isCriticalSystemObject adminDescription whenCreated "
        "whenChanged uSNChanged uSNCreated"
    ),
    "Organisation": (
        "title department departmentNumber division company manager directReports assistant managedBy "
        "employeeID employeeNumber employeeType physicalDeliveryOfficeName description info comment"
    ),
    "Contact": (
        "telephoneNumber otherTelephone mobile homePhone ipPhone pager facsimileTelephoneNumber "
        "streetAddress postOfficeBox postalCode l st c co countryCode preferredLanguage wWWHomePage url "
        "thumbnailPhoto"
    ),
    "Mail": (
        "mail mailNickname proxyAddresses otherMailbox targetAddress homeMDB legacyExchangeDN "
        "showInAddressBook msExchHideFromAddressLists msExchMailboxGuid msExchRecipientDisplayType "
        "msExchRecipientTypeDetails msExchRemoteRecipientType msExchUsageLocation"
    ),
    "Groups": "member memberOf groupType",
}
OTHER: Final = "Other attributes"
ORDER: Final = (*_GROUPS, OTHER)
_OF: Final = {name.casefold(): group for group, names in _GROUPS.items() for name in names.split()}


def group_of(attribute: str) -> str:
    """Return the group that a directory attribute is shown in."""
    return _OF.get(attribute.casefold(), OTHER)
