"""The tables of the docs that have their facts in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import doc_tables


@pytest.mark.parametrize("page", doc_tables.pages(), ids=lambda page: page.name)
def test_tables_are_as_the_code_has_them(page: Path) -> None:
    """A table that is out of date is renewed by `python -m scripts.doc_tables`."""
    text = page.read_text(encoding="utf-8")

    assert doc_tables.renewed(text) == text
    assert doc_tables.renewed(text.replace("has expired", "has not expired")) == text


@pytest.mark.parametrize("name", doc_tables.TABLES)
def test_every_table_stands_somewhere(name: str) -> None:
    """A table that no page shows is of no use."""
    assert any(f"<!-- table: {name} -->" in page.read_text(encoding="utf-8") for page in doc_tables.pages())
