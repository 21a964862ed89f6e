"""One language: identifiers follow the glossary of CONTRIBUTING, and texts avoid its list of phrases."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
FOLDERS = ("semconv", "instrumentors", "distro", "examples", "docs", "tests")
GENERATED = re.compile(r"<!-- (?P<name>[a-z-]+) -->.*?<!-- /(?P=name) -->", re.DOTALL)
TEXTS = ("*.md", "docs/*.md", "instrumentors/*.md", "collector-config/*.md", ".changelog/*.md")


def _section(title: str) -> str:
    """What is under a heading of CONTRIBUTING, up to the next heading."""
    return CONTRIBUTING.split(f"{title}\n", 1)[1].split("\n#", 1)[0]


WORDS = frozenset(
    word
    for row in _section("## Glossary").splitlines()
    if row.startswith("| ")
    for word in re.findall(r"`([a-z]+)`", row.rpartition(" | ")[2])
)
PHRASES = tuple(
    phrase
    for row in _section("### Phrases").splitlines()
    if row.startswith("- ")
    for phrase in re.findall(r'"([^"]+)"', row)
)
EXEMPT = {
    "semconv/src/otel_agents/semconv/attributes.py": {"OTEL_AGENTS_DOING"},  # an attribute's name
    "tests/toys/toyaws/__init__.py": {"tell"},  # of `io.IOBase`
}
MODULES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if ".environments" not in path.parts
)


def identifiers(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives: functions, classes, parameters, variables."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case _:
                continue


def words(name: str) -> set[str]:
    """``{"first", "chunk"}`` of ``_first_chunk`` and ``FirstChunk``."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    return {part.lower() for part in parts}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_identifiers_follow_the_glossary(path: Path) -> None:
    names = {path.stem, *identifiers(ast.parse(path.read_text()))}
    names -= EXEMPT.get(str(path.relative_to(ROOT)), set())
    assert sorted(name for name in names if words(name) & WORDS) == []


def texts() -> list[Path]:
    """What is read: documents, and the sources with their docstrings, comments and messages."""
    documents = {path for pattern in TEXTS for path in ROOT.glob(pattern)}
    sources = {path for path in MODULES if "tests" not in path.parts or "kit" in path.parts}
    return sorted(documents | sources)


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_texts_avoid_the_phrases(path: Path) -> None:
    text = path.read_text()
    if path.name == "CONTRIBUTING.md":
        text = text.replace(_section("### Phrases"), "")
    plain = " ".join(text.split())
    found = [it for it in PHRASES if re.search(rf"\b{re.escape(it)}\b", plain, re.IGNORECASE)]
    assert found == []


def test_the_lists_are_read() -> None:
    assert {"told", "ask", "outlet", "place"} <= WORDS
    assert "stands back" in PHRASES
    assert words("_OtlpOutlet_told") == {"otlp", "outlet", "told"}
