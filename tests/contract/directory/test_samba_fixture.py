"""The Samba fixture says what it lacks, and never passes for something it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixtures.parts import in_ci, judge
from tests.fixtures.samba.domain_controller import PARTS, missing_part

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("lacking", [package for package, _ in PARTS])
def test_missing_package_is_named(tmp_path: Path, lacking: str) -> None:
    """Each package that is not there is called by its Debian name."""
    for package, pattern in PARTS:
        if package != lacking:
            file = tmp_path / pattern.replace("*", "x86_64-linux-gnu")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    assert missing_part(below=tmp_path, user=0) == f"the Debian package {lacking}"


def test_without_root(tmp_path: Path) -> None:
    """Ports below 1024 need root, and that is said first."""
    assert "root rights" in str(missing_part(below=tmp_path, user=1000))


def test_skip_here_fail_in_ci() -> None:
    """A missing part skips on a developer's machine and fails where CI is set; none missing does neither."""
    judge("Samba", None, ci=True)
    with pytest.raises(pytest.skip.Exception, match="missing the Debian package samba"):
        judge("Samba", "the Debian package samba", ci=False)
    with pytest.raises(pytest.fail.Exception, match="missing the Debian package samba"):
        judge("Samba", "the Debian package samba", ci=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, False),
        ("", False),
        ("0", False),
        ("false", False),
        ("False", False),
        ("1", True),
        ("true", True),
    ],
)
def test_what_counts_as_ci(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool) -> None:  # noqa: FBT001  # a column
    """CI means: set, and not empty, 0 or false."""
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    assert in_ci() is expected
