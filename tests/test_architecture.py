"""Who may know whom. Arrows point down; what must travel up travels by signal.

leadcrm -> every app (its lib knows none) · notifications -> distribution, pipeline · distribution -> pipeline ·
pipeline -> none of ours · distribution.engine -> the standard library only · apps -> leadcrm.lib
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPS = ("leadcrm", "pipeline", "distribution", "notifications")

# What a part of the project may import of ours, by its dotted prefix; the longest prefix that fits decides.
MAY_KNOW = {
    "leadcrm": ("leadcrm", "pipeline", "distribution", "notifications"),
    "leadcrm.lib": ("leadcrm.lib",),
    "pipeline": ("pipeline", "leadcrm.lib"),
    "distribution": ("distribution", "pipeline", "leadcrm.lib"),
    "distribution.engine": ("distribution.engine",),
    "notifications": ("notifications", "distribution", "pipeline", "leadcrm.lib"),
}
GUARDIAN_HOME = "leadcrm.lib.access"
PURE = "distribution.engine"

# Calls whose first argument names a model as text, and keyword arguments that do.
MODEL_CALLS = {"get_model", "ForeignKey", "OneToOneField", "ManyToManyField", "HistoricForeignKey"}
MODEL_KEYWORDS = {"to", "through"}
MODEL_NAME = re.compile(rf"({'|'.join(APPS)})\.\w+", re.ASCII)


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def rule_for(module: str) -> tuple[str, ...]:
    return MAY_KNOW[max((prefix for prefix in MAY_KNOW if within(module, prefix)), key=len)]


def faults(module: str, source: str, *, is_package: bool = False) -> list[str]:
    """What is wrong with the module of this name: one line per arrow that points the wrong way."""
    tree = ast.parse(source)
    named = {*imported(tree, module, is_package), *models_named(tree)}
    return sorted(fault for name in named if (fault := judge(module, name)))


def imported(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, module, is_package)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and called(node) == "import_module" and (text := first_text(node)):
            yield text


def absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    package = parts[: len(parts) - node.level + is_package]
    return ".".join([*package, *([node.module] if node.module else [])])


def models_named(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            texts = [keyword.value for keyword in node.keywords if keyword.arg in MODEL_KEYWORDS]
            texts += node.args[:1] if called(node) in MODEL_CALLS else []
            yield from (text.value for text in texts if is_model_name(text))


def is_model_name(node: ast.expr) -> bool:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return False
    return node.value in APPS or bool(MODEL_NAME.fullmatch(node.value))


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def first_text(node: ast.Call) -> str:
    value = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
    return value if isinstance(value, str) else ""


def judge(module: str, name: str) -> str:
    top = name.partition(".")[0]
    if top == "guardian" and module != GUARDIAN_HOME:
        return f"{module} imports {name}: only {GUARDIAN_HOME} knows guardian"
    if top in APPS and not any(within(name, allowed) for allowed in rule_for(module)):
        return f"{module} knows {name}: the arrow points up"
    if within(module, PURE) and top not in APPS and top not in sys.stdlib_module_names:
        return f"{module} imports {name}: the engine knows only the standard library"
    return ""


def modules() -> Iterator[tuple[str, Path]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


def test_no_arrow_points_up():
    found = [
        fault
        for name, path in modules()
        for fault in faults(name, path.read_text(), is_package=path.name == "__init__.py")
    ]
    assert found == []


def test_every_part_of_the_project_is_looked_at():
    assert {name.partition(".")[0] for name, _ in modules()} == set(APPS)
    assert any(within(name, PURE) for name, _ in modules())


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pipeline.services", "from distribution.models import Rep"),
        ("pipeline.services", "import distribution.models as models"),
        ("pipeline.services", "import notifications"),
        ("pipeline.services", "def late():\n    from distribution import services"),
        ("pipeline.services", "if TYPE_CHECKING:\n    from distribution.models import Rep"),
        ("pipeline.services", "from leadcrm import settings"),
        ("pipeline.services", "from leadcrm.celery import app"),
        ("pipeline.services", "from ..distribution import services"),
        ("pipeline.services", "importlib.import_module('distribution.models')"),
        ("pipeline.models.leads", "rep = models.ForeignKey('distribution.Rep', models.CASCADE)"),
        ("pipeline.models.leads", "rep = models.ForeignKey(to='distribution.Rep', on_delete=models.CASCADE)"),
        ("pipeline.models.leads", "reps = ManyToManyField('self', through='distribution.Membership')"),
        ("pipeline.services", "apps.get_model('distribution.Rep')"),
        ("pipeline.services", "apps.get_model('distribution', 'Rep')"),
        ("pipeline.migrations.0002_x", "apps.get_model('notifications', 'Notification')"),
        ("distribution.services", "from notifications.models import Notification"),
        ("distribution.models.rules", "x = OneToOneField('notifications.Template', CASCADE)"),
        ("distribution.engine.routing", "from distribution.models import Rep"),
        ("distribution.engine.routing", "from pipeline.models import Lead"),
        ("distribution.engine.routing", "from leadcrm.lib import text"),
        ("distribution.engine.routing", "from django.utils import timezone"),
        ("distribution.engine.routing", "import rapidfuzz"),
        ("distribution.engine.routing", "from .. import snapshots"),
        ("leadcrm.lib.beat", "from pipeline.models import Lead"),
        ("leadcrm.lib.beat", "from leadcrm import settings"),
        ("distribution.admin.pools", "from guardian.admin import GuardedModelAdmin"),
        ("pipeline.selectors", "import guardian.shortcuts"),
        ("leadcrm.settings", "import guardian"),
    ],
)
def test_a_wrong_arrow_is_found(module, source):
    assert len(faults(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("leadcrm.urls", "from pipeline import urls\nfrom distribution.models import Rep"),
        ("leadcrm.lib.access", "from guardian.shortcuts import assign_perm"),
        ("pipeline.services", "from leadcrm.lib.text import clean\nfrom . import models"),
        ("pipeline.services", "label = 'distribution.Rep'"),
        (
            "pipeline.models.leads",
            "owner = ForeignKey('auth.User', PROTECT)\npipeline = ForeignKey('pipeline.Pipeline')",
        ),
        ("distribution.services", "from pipeline.models import Lead\nfrom distribution.engine import routing"),
        ("distribution.engine.routing", "import math\nfrom collections.abc import Iterator\nfrom . import ledger"),
        ("notifications.tasks", "from distribution.models import Rep\nimport celery"),
    ],
)
def test_a_right_arrow_is_accepted(module, source):
    assert faults(module, source) == []


def test_a_relative_import_in_a_package_is_read_from_that_package():
    assert faults("pipeline", "from .services import assign", is_package=True) == []
    assert faults("distribution.engine", "from . import ledger", is_package=True) == []
    assert len(faults("distribution.engine", "from .. import models", is_package=True)) == 1
