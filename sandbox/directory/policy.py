"""The limits and switches of the stand-in: the defaults are those of Active Directory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DirectoryPolicy:
    """Set the limits a domain controller imposes ([MS-ADTS] section "LDAP Policies").

    `max_page_size`: entries in one answer, `max_value_range`: values of one attribute in one answer,
    `max_receive_buffer`: bytes of one request, `max_query_seconds`: seconds of one search.
    `readers_see_deleted`: whether the bind account may see tombstones with the show-deleted control.
    """

    max_page_size: int = 1000
    max_value_range: int = 1500
    max_receive_buffer: int = 10_485_760
    max_query_seconds: float = 120.0
    readers_see_deleted: bool = False
