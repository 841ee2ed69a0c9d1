"""The doctor on a real domain controller: rights that a stand-in cannot decide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.connections import ldap_settings
from bot.settings import load_settings
from pipeline.adapters.ldap import LdapSettings
from pipeline.adapters.ldap_doctor import examine_directory
from pipeline.clock import SystemClock
from pipeline.findings import Finding, Verdict
from tests.fixtures.samba.domain_controller import SambaDomainController

pytestmark = pytest.mark.xdist_group("samba")

READS = frozenset({"displayName", "mail", "sAMAccountName"})


def settings_of(samba: SambaDomainController, folder: Path) -> LdapSettings:
    """Return what the adapter needs to read this domain."""
    entra = {"FOURCHECK_ENTRA__TENANT_ID": "t", "FOURCHECK_ENTRA__CLIENT_ID": "c"}
    return ldap_settings(load_settings({**samba.settings(), **entra}, dotenv=folder / "none"))["main"]


def judged(findings: list[Finding]) -> dict[str, Verdict]:
    """Return the verdicts by check."""
    return {finding.check: finding.verdict for finding in findings}


async def test_the_reading_account_is_all_right(samba: SambaDomainController, tmp_path: Path) -> None:
    """An account that is in Domain Users alone: everything is seen, nothing is too much."""
    findings = await examine_directory("main", settings_of(samba, tmp_path), READS, SystemClock())

    assert set(judged(findings).values()) == {Verdict.GOOD}, findings
    assert judged(findings).keys() == {
        "name", "trust", "account", "base", "read", "excess", "writes", "clock",
    }  # fmt: skip


async def test_an_administrators_account_is_too_much(samba: SambaDomainController, tmp_path: Path) -> None:
    """An account that could write is told so: by its groups, and by the attributes it may write."""
    admin = replace(settings_of(samba, tmp_path), bind_dn=samba.admin_dn, bind_password=samba.admin_password)

    findings = await examine_directory("main", admin, READS, SystemClock())

    by_check = {finding.check: finding for finding in findings}
    assert by_check["excess"].verdict is Verdict.WARNING
    assert "Domain Admins" in by_check["excess"].says
    assert "Administrators" in by_check["excess"].says
    assert by_check["writes"].verdict is Verdict.WARNING
