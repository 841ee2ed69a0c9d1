"""What the import stage shows of what was read: cut lists say so, octets are facts, numbers have words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.configuration import load_configurations
from pipeline.dn import from_directory
from pipeline.ids import Dn, ObjectGuid
from pipeline.model import ImportEvidence, ObjectKind, SourceIdentity
from pipeline.ports import DirectoryEntry
from pipeline.stages.importing import Source, import_evidence, typed_values

CONFIGURATIONS = Path(__file__).parents[2] / "configurations"
ADA = "CN=Ada,OU=Corp,OU=Contoso,DC=contoso,DC=test"


def evidence(attributes: dict[str, tuple[bytes, ...]], **more: Any) -> ImportEvidence:
    """Return the evidence for an entry with these attributes, under the sample configuration."""
    read_at = datetime(2026, 1, 2, tzinfo=UTC)
    entry = DirectoryEntry(dn=ADA, attributes=attributes, controller="dc1", read_at=read_at, **more)
    identity = SourceIdentity(Dn(ADA), ObjectGuid("1"), None, ObjectKind.USER, "Ada")
    configuration = load_configurations(CONFIGURATIONS).all[0]
    return import_evidence(Source(identity, from_directory(ADA), typed_values(entry), entry, configuration))


def test_a_cut_list_says_how_much_of_it_is_there() -> None:
    """Of 7,000 values the first 5,000 are read, and both numbers are told; an uncounted rest is "more"."""
    values = tuple(b"CN=User %d,DC=contoso,DC=test" % number for number in range(5000))
    counted = evidence({"member": values}, incomplete=frozenset({"member"}), totals={"member": 7000})
    uncounted = evidence({"member": values}, incomplete=frozenset({"member"}))

    assert counted.notes == ("member: the first 5,000 of 7,000 values",)
    assert counted.attributes[0].total == 7000
    assert len(counted.attributes[0].values) == 5000
    assert uncounted.notes == ("member: the first 5,000 of more values",)


def test_a_whole_list_has_no_note() -> None:
    """Nothing is said of a limit that was not met."""
    assert evidence({"member": (b"CN=User,DC=contoso,DC=test",)}).notes == ()


def test_octets_are_shown_as_what_they_are() -> None:
    """A photo, certificates and ids are facts in words, and numbers that stand for something say what."""
    found = evidence(
        {
            "thumbnailPhoto": (b"\xff\xd8\xff" + bytes(997),),
            "userCertificate": (bytes(1024), bytes(2048)),
            "userAccountControl": (b"514",),
            "objectGUID": (bytes(range(16)),),
            "accountExpires": (b"0",),
        }
    )
    by_name = {attribute.name: attribute for attribute in found.attributes}

    assert by_name["thumbnailPhoto"].values == ("JPEG photo, 1,000 bytes",)
    assert by_name["userCertificate"].values == ("certificate, 1,024 bytes", "certificate, 2,048 bytes")
    assert by_name["userCertificate"].total == 2
    assert by_name["userAccountControl"].decoded == ("account disabled", "normal account")
    assert by_name["objectGUID"].values == ("03020100-0504-0706-0809-0a0b0c0d0e0f",)
    assert by_name["accountExpires"].decoded == ("never",)
