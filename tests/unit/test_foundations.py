import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_module_can_be_read_in_one_sitting(source: Path) -> None:
    """A module stays under 450 lines and each of its functions under 70."""
    text = source.read_text()
    long_functions = [
        f"{node.name} in line {node.lineno}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= 70
    ]

    assert len(text.splitlines()) < 450
    assert long_functions == []


@pytest.mark.parametrize("name", ["requirements.lock", "docs.lock"])
def test_a_lock_pins_by_hash_and_names_no_index(name: str) -> None:
    """What is installed is fixed by its content, wherever it comes from."""
    lines = (ROOT / name).read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]

    assert all("==" in pin and pin.endswith("\\") for pin in pins)
    assert not [line for line in lines if "://" in line or "index" in line]
