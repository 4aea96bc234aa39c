"""What a module promises is what its `__all__` says; ruff keeps each one sorted."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "consentkit"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): (
        ast.parse(path.read_text("utf-8"))
    )
    for path in sorted(PACKAGE.rglob("*.py"))
    if "migrations" not in path.parts  # Alembic loads its scripts by path
}


def defined_in(tree: ast.Module) -> set[str]:
    """The public functions and classes at a module's top level."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    names = {node.name for node in tree.body if isinstance(node, kinds)}
    return {name for name in names if not name.startswith("_")}


def exported_by(tree: ast.Module) -> list[str]:
    """The names in `__all__`; none when there is no such list."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                names: list[str] = ast.literal_eval(value)
                return names
    return []


@pytest.mark.parametrize("module", MODULES)
def test_a_public_function_or_class_is_exported(module: str) -> None:
    tree = MODULES[module]

    assert sorted(defined_in(tree) - set(exported_by(tree))) == []


@pytest.mark.parametrize("module", MODULES)
def test_every_exported_name_can_be_had(module: str) -> None:
    exported = exported_by(MODULES[module])
    imported = importlib.import_module(module)

    assert [name for name in exported if not hasattr(imported, name)] == []
    assert len(exported) == len(set(exported))
