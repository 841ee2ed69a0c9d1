"""Who may import whom: the dependency rule, read off every import statement of the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "pipeline", "sandbox")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@cache
def _imports(path: Path) -> tuple[tuple[str, bool], ...]:
    """Return every module that a file imports, and whether at its top level."""
    return tuple(_read_imports(path))


def _read_imports(path: Path) -> Iterator[tuple[str, bool]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            yield from ((f"{node.module}.{alias.name}", id(node) in top) for alias in node.names)


def _is(module: str, name: str) -> bool:
    return module == name or module.startswith(f"{name}.")


FORBIDDEN = [
    # (folder, what it may not import, except in)
    ("pipeline", "bot", ()),  # the engine knows nothing of Slack
    ("pipeline", "sandbox", ()),  # nor of its stand-ins
    ("sandbox", "bot", ()),  # a stand-in must not share the code it is to check
    ("sandbox", "pipeline", ()),
    ("bot", "sandbox", ("bot/demo.py",)),  # only the demo starts the sandbox
    ("pipeline", "slack_sdk", ()),
    ("pipeline", "slack_bolt", ()),
    ("sandbox", "slack_sdk", ()),
    ("sandbox", "slack_bolt", ()),
    ("pipeline", "pydantic_settings", ()),
    ("sandbox", "pydantic_settings", ()),
    ("bot", "pydantic_settings", ("bot/settings.py",)),  # one module reads the environment
    ("bot", "ldap3", ()),
    ("pipeline", "ldap3", ("pipeline/adapters/ldap",)),
    ("sandbox", "ldap3", ("sandbox/directory",)),
    ("bot", "httpx", ()),
    ("pipeline", "httpx", ("pipeline/adapters/",)),
    ("sandbox", "httpx", ()),
    ("bot", "msal", ()),
    ("pipeline", "msal", ("pipeline/adapters/tokens",)),
    ("sandbox", "msal", ()),
    ("bot", "sqlalchemy", ()),
    ("pipeline", "sqlalchemy", ("pipeline/runs/",)),
    ("sandbox", "sqlalchemy", ()),
    ("bot", "psycopg", ()),
    ("pipeline", "psycopg", ("pipeline/runs/",)),
    ("sandbox", "psycopg", ()),
    ("pipeline", "pipeline.adapters", ("pipeline/adapters/",)),  # the pure core imports no adapter
    ("pipeline", "pipeline.runs", ("pipeline/runs/",)),
]


@pytest.mark.parametrize(("folder", "module", "except_in"), FORBIDDEN)
def test_the_dependency_rule_holds(folder: str, module: str, except_in: tuple[str, ...]) -> None:
    """Each layer imports only what lies below it, each library only where it belongs."""
    guilty = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.relative_to(ROOT).parts[0] == folder
        and not str(path.relative_to(ROOT)).startswith(except_in or ("nowhere",))
        and any(_is(imported, module) for imported, _ in _imports(path))
    ]

    assert guilty == []


def test_the_sandbox_is_imported_lazily() -> None:
    """Whoever serves Slack does not load the sandbox: the command line imports the demo when asked."""
    top = [name for name, is_top in _imports(ROOT / "bot" / "cli.py") if is_top]

    assert not any(_is(name, "bot.demo") or _is(name, "sandbox") for name in top)


def test_adapters_know_only_ports_models_and_errors() -> None:
    """An adapter could be replaced without reading a stage: it imports none, and no configuration."""
    guilty = [
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / "pipeline" / "adapters").rglob("*.py")
        for name, _ in _imports(path)
        if any(_is(name, f"pipeline.{layer}") for layer in ("stages", "configuration", "provision"))
    ]

    assert guilty == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes_stay_readable(path: Path) -> None:
    """No module is longer than 450 lines and no function than 60: longer ones are read by nobody."""
    text = path.read_text(encoding="utf-8")
    functions = [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert text.count("\n") <= 450
    assert [f for f in functions if f[1] > 60] == []
