"""The documentation names everything that there is, and nothing that there is not."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SETTINGS_PAGE = ROOT / "docs" / "settings.md"


def variables_read(source: str) -> set[str]:
    """The environment variables that a settings file asks for: what env.str("NAME"), integer("NAME") and so on name."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args]
    names = [call.args[0].value for call in calls if asks(call.func) and isinstance(call.args[0], ast.Constant)]
    return {name for name in names if isinstance(name, str)}


def asks(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        return isinstance(function.value, ast.Name) and function.value.id == "env"
    return isinstance(function, ast.Name) and function.id == "integer"


def first_column(page: Path, pattern: str) -> set[str]:
    return set(re.findall(rf"^\| `({pattern})` \|", page.read_text(), re.MULTILINE))


def test_every_environment_variable_is_documented_and_no_other():
    assert variables_read((ROOT / "leadcrm/settings.py").read_text()) == first_column(SETTINGS_PAGE, "[A-Z_]+")


def test_every_way_of_asking_for_a_variable_is_seen():
    source = 'a = env.str("A", default="")\nb = integer("B", default=1)\nc = env("not this")\nd = other.str("NOR_THIS")'
    assert variables_read(source) == {"A", "B"}


def test_every_system_check_is_documented_and_no_other():
    used = re.findall(r"_(error|warning)\(\s*(\d+)", (ROOT / "leadcrm/checks.py").read_text())
    ids = {f"leadcrm.{kind[0].upper()}{int(number):03}" for kind, number in used}
    assert len(ids) > 10
    assert ids == first_column(SETTINGS_PAGE, r"leadcrm\.[EW]\d+")


def test_every_link_between_the_pages_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
