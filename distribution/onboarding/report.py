"""Tell a plan to people: what would be made, and each bad value with its place."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, Final, TextIO

from distribution.onboarding.plan import Action, Plan, Problem
from leadcrm.lib.rows import rows_text
from leadcrm.lib.text import csv_safe

_MOST_CHANGES: Final = 20


def plan_lines(plan: Plan) -> Iterator[str]:
    """The plan as text: the files, the counts, what changes, and the problems, equal ones on one line."""
    yield "Files"
    yield from (f"  {line}" for line in plan.read)
    yield "Plan"
    yield from (f"  {line}" for line in counted(plan))
    yield from _changes(plan)
    yield from problem_lines(plan.problems)


def counted(plan: Plan) -> list[str]:
    """How many of each section are to be created, changed and left as they are."""
    return [
        f"{name}: {', '.join(f'{counts[action.value]} {_VERBS[action]}' for action in Action if counts[action.value])}"
        for name, counts in plan.counts().items()
        if counts
    ]


_VERBS: Final = {Action.CREATE: "to create", Action.CHANGE: "to change", Action.KEEP: "unchanged"}


def problem_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """One line per bad value: refused ones first, with the rows where it stands."""
    grouped = group_problems(problems)
    for title, refused in (("Refused rows", True), ("Notes", False)):
        lines = [_problem_line(problem, rows) for problem, rows in grouped if problem.refused is refused]
        if lines:
            yield title
            yield from lines


def group_problems(problems: Iterable[Problem]) -> list[tuple[Problem, list[int]]]:
    """Equal problems once, with all their rows, in the order of their first row."""
    rows: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    first: dict[tuple[Any, ...], Problem] = {}
    for problem in problems:
        key = (problem.file, problem.column, problem.wrong, problem.right, problem.refused)
        rows[key].append(problem.row)
        first.setdefault(key, problem)
    return [(problem, rows[key]) for key, problem in first.items()]


def write_problems(problems: Iterable[Problem], stream: TextIO) -> None:
    """Every problem as a row of CSV, none left out."""
    writer = csv.writer(stream)
    writer.writerow(["file", "row", "column", "wrong", "detail", "right", "row refused"])
    for problem in problems:
        cells = (problem.file, problem.row, problem.column, problem.wrong, problem.detail, problem.right)
        writer.writerow([*map(csv_safe, cells), "yes" if problem.refused else "no"])


def plan_data(plan: Plan) -> dict[str, Any]:
    """The plan as JSON-ready data."""
    return {
        "files": plan.read,
        "plan": {name: dict(counts) for name, counts in plan.counts().items()},
        "refused_rows": plan.refused_rows,
        "problems": [asdict(problem) for problem in plan.problems],
    }


def _problem_line(problem: Problem, rows: list[int]) -> str:
    place = f"{problem.file}, {rows_text(rows)}" + (f", column {problem.column}" if problem.column else "")
    wrong = f"{problem.wrong.rstrip('.')} ({problem.detail})" if problem.detail and len(rows) == 1 else problem.wrong
    return f"  {place}: {wrong.rstrip('.')}. {problem.right.rstrip('.')}."


def _changes(plan: Plan) -> Iterator[str]:
    lines = [
        f"  {step.name}: {'; '.join(step.changes)}" for _, steps in plan.sections() for step in steps if step.changes
    ]
    if lines:
        yield "Changes"
        yield from lines[:_MOST_CHANGES]
        if len(lines) > _MOST_CHANGES:
            yield f"  and {len(lines) - _MOST_CHANGES} more"
