"""What the adapters need to know, from what was set: addresses, accounts, credentials, proxies."""

from __future__ import annotations

from pydantic import SecretStr

from bot.settings import DirectorySettings, Settings, SettingsError
from pipeline.adapters.graph import Cloud, GraphSettings
from pipeline.adapters.ldap import LdapSettings
from pipeline.adapters.tokens import TokenSettings


def ldap_settings(settings: Settings) -> dict[str, LdapSettings]:
    """Return every directory's settings by its name. Raises SettingsError naming what is missing."""
    return {name: _ldap(name, section) for name, section in settings.every_directory.items()}


def _ldap(name: str, section: DirectorySettings) -> LdapSettings:
    place = "DIRECTORY" if name == "main" else f"DIRECTORIES__{name.upper()}"
    missing = [key for key in ("urls", "bind_dn", "base_dn") if not getattr(section, key)]
    if missing:
        raise SettingsError("\n".join(f"FOURCHECK_{place}__{key.upper()}: is needed" for key in missing))
    return LdapSettings(
        urls=section.urls,
        bind_dn=section.bind_dn,
        bind_password=section.bind_password.get_secret_value(),
        base_dn=section.base_dn,
        ca_file=str(section.ca_file) if section.ca_file else None,
        allow_plaintext=section.allow_plaintext,
        section=f"FOURCHECK_{place}",
    )


def token_settings(settings: Settings) -> TokenSettings:
    """Return who signs in to Entra ID, and by what. Raises SettingsError."""
    entra = settings.entra
    cloud = Cloud(entra.cloud)
    try:
        return TokenSettings(
            tenant_id=entra.tenant_id,
            client_id=entra.client_id,
            client_secret=_plain(entra.client_secret),
            certificate=entra.client_certificate,
            certificate_password=_plain(entra.client_certificate_password),
            federated_token_file=entra.federated_token_file,
            cloud=cloud,
            login_url=entra.login_url,
            ca_file=entra.ca_file,
            proxy_url=settings.proxy.way_to(entra.login_url or f"https://{cloud.login_host}"),
        )
    except ValueError as error:
        raise SettingsError(f"FOURCHECK_ENTRA__…: {error}") from error


def graph_settings(settings: Settings) -> GraphSettings:
    """Return where Microsoft Graph is."""
    url = settings.entra.graph_url or f"https://{Cloud(settings.entra.cloud).graph_host}"
    return GraphSettings(url=url, ca_file=settings.entra.ca_file, proxy_url=settings.proxy.way_to(url))


def _plain(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value is not None else None
