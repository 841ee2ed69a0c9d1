"""A bot that is started on the store of an earlier version brings what it finds there to its end."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from pipeline.runs.migrations import migrate
from tests.chaos.city import city_on
from tests.chaos.processes import Nursery, memory
from tests.contract.runs.earlier import fill, rows_of, scripts_until

pytestmark = pytest.mark.asyncio(loop_scope="session")
FIRST = "0001"


@pytest.fixture
def old_folder() -> Iterator[Path]:
    """Return a folder with a store as the first version left it."""
    made = Path(tempfile.mkdtemp(prefix="fourcheck-upgrade-", dir=memory()))
    engine = create_engine(f"sqlite:///{made}/runs.db")
    with engine.begin() as connection:
        migrate(connection, scripts_until(FIRST, made / "scripts"), FIRST)
        fill(connection, FIRST)
    engine.dispose()
    yield made
    shutil.rmtree(made)


async def test_what_the_first_version_left_comes_to_its_end(nursery: Nursery, old_folder: Path) -> None:
    """What was under way goes on, a creation is looked for first; what waited is too old; all is told."""
    unended = sum(row["state"] != "ended" for row in rows_of(FIRST)["runs"])
    unshown = sum(row["document"]["open"] for row in rows_of(FIRST)["notices"])
    more = {"STORE__RETENTION_DAYS": "36500"}
    async with city_on(nursery, f"sqlite:///{old_folder}/runs.db", old_folder, **more) as city:
        await city.started()
        await city.until_settled()
        assert len(city.ended()) == len(city.posted()) == unshown
        runs = await city.runs()
        assert len(runs) == len(rows_of(FIRST)["runs"])
        latest = Counter(str(run.outcome) for run, _ in runs[:unended])
        assert latest == {"created": 1, "unchanged": 1, "interrupted": 1}
        assert city.effects() == ["POST users"]
        assert [entry.step for _, journal in runs for entry in journal if not entry.known] == []
