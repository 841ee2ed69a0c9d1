"""Configurations change under a running bot: good ones come into force, broken ones never do."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.configuration.keeper import ConfigurationKeeper, Reloaded
from pipeline.dn import parse as parse_dn
from pipeline.errors import ConfigurationInvalid

GOOD = """version: 1
name: NAME
base: DC=contoso,DC=test
objects:
  user:
    match: [userPrincipalName]
    attributes:
      - { target: userPrincipalName, source: userPrincipalName }
"""
BROKEN = GOOD.replace("source: userPrincipalName", "expression: 'Frob([x])'")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def write(folder: Path, file: str, text: str) -> None:
    """Write a file as an editor does: a new one in place of the old."""
    made = folder / f".{file}.new"
    made.write_text(text, encoding="utf-8")
    made.replace(folder / file)


@pytest.fixture
def keeper(tmp_path: Path) -> ConfigurationKeeper:
    """Give a keeper of a folder with one good file, a.yaml, that holds the configuration `one`."""
    write(tmp_path, "a.yaml", GOOD.replace("NAME", "one"))
    return ConfigurationKeeper(tmp_path, now=lambda: NOON)


def names(keeper: ConfigurationKeeper) -> list[str]:
    """Return the names of the configurations in force."""
    return [configuration.name for configuration in keeper.all]


def test_a_changed_file_comes_into_force(keeper: ConfigurationKeeper, tmp_path: Path) -> None:
    """Whoever holds the keeper sees the change: by name, by place, by default."""
    before = keeper.named("one").digest
    write(tmp_path, "a.yaml", GOOD.replace("NAME", "one").replace("DC=contoso", "DC=fabrikam"))

    assert keeper.reload() is Reloaded.REPLACED
    assert keeper.named("one").digest != before
    assert keeper.select(None, parse_dn("CN=A,DC=fabrikam,DC=test")).name == "one"
    assert keeper.trouble is None


def test_what_has_not_changed_is_not_read_again(keeper: ConfigurationKeeper) -> None:
    """Looking costs a few stat calls: the configurations stay the very same objects."""
    before = keeper.all

    assert keeper.reload() is Reloaded.UNCHANGED
    assert keeper.all is before


def test_a_broken_file_never_replaces_a_good_one(keeper: ConfigurationKeeper, tmp_path: Path) -> None:
    """The last good set stays in force, and the trouble names file, line and what is wrong."""
    before = keeper.all
    write(tmp_path, "a.yaml", BROKEN.replace("NAME", "one"))

    assert keeper.reload() is Reloaded.REFUSED
    assert keeper.all is before
    assert keeper.trouble is not None
    assert keeper.trouble.since == NOON
    (line,) = keeper.trouble.lines
    assert line.startswith("a.yaml: line 8"), "the folder is nobody's business in a channel"
    assert "Frob" in line
    assert line in keeper.trouble.note
    assert keeper.reload() is Reloaded.UNCHANGED
    assert keeper.trouble is not None, "it lasts until the file is mended"


def test_mending_the_file_ends_the_trouble(keeper: ConfigurationKeeper, tmp_path: Path) -> None:
    """The note goes when the files are good again."""
    write(tmp_path, "a.yaml", BROKEN.replace("NAME", "one"))
    keeper.reload()
    write(tmp_path, "a.yaml", GOOD.replace("NAME", "two"))

    assert keeper.reload() is Reloaded.REPLACED
    assert names(keeper) == ["two"]
    assert keeper.trouble is None


def test_files_come_into_force_together(keeper: ConfigurationKeeper, tmp_path: Path) -> None:
    """A good file beside a broken one waits: half of a change is no change that anybody asked for."""
    write(tmp_path, "b.yaml", BROKEN.replace("NAME", "two"))
    write(tmp_path, "c.yaml", GOOD.replace("NAME", "three"))
    assert keeper.reload() is Reloaded.REFUSED
    assert names(keeper) == ["one"]

    write(tmp_path, "b.yaml", GOOD.replace("NAME", "two"))
    assert keeper.reload() is Reloaded.REPLACED
    assert names(keeper) == ["one", "two", "three"]


def test_the_last_file_that_goes_leaves_everything_in_force(
    keeper: ConfigurationKeeper, tmp_path: Path
) -> None:
    """An empty folder is a mistake, not an order to forget every rule; a file less is an order."""
    write(tmp_path, "b.yaml", GOOD.replace("NAME", "two"))
    keeper.reload()
    (tmp_path / "a.yaml").unlink()
    assert keeper.reload() is Reloaded.REPLACED
    assert names(keeper) == ["two"]

    (tmp_path / "b.yaml").unlink()
    assert keeper.reload() is Reloaded.REFUSED
    assert names(keeper) == ["two"]


def test_a_change_of_the_same_length_is_seen(keeper: ConfigurationKeeper, tmp_path: Path) -> None:
    """Neither the size nor the time of a file alone tells a change."""
    path = tmp_path / "a.yaml"
    facts = path.stat()
    write(tmp_path, "a.yaml", GOOD.replace("NAME", "two"))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    assert path.stat().st_size == facts.st_size
    assert keeper.reload() is Reloaded.REPLACED
    assert names(keeper) == ["two"]


def test_a_keeper_begins_with_good_files_only(tmp_path: Path) -> None:
    """There is no last good set at the start: a bot does not start on broken rules."""
    write(tmp_path, "a.yaml", BROKEN.replace("NAME", "one"))

    with pytest.raises(ConfigurationInvalid, match=r"a\.yaml: line 8"):
        ConfigurationKeeper(tmp_path)


async def test_watching_reloads_by_itself(keeper: ConfigurationKeeper, tmp_path: Path) -> None:
    """A watched folder needs nobody to ask."""
    task = asyncio.create_task(keeper.watch(every=0.01))
    write(tmp_path, "a.yaml", GOOD.replace("NAME", "two"))
    for _ in range(1000):
        await asyncio.sleep(0.01)
        if names(keeper) == ["two"]:
            break
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert names(keeper) == ["two"]
