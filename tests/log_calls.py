"""The calls that write log lines, as they stand in the source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from memberships_export.logs.fields import Form, form_of

SRC = Path(__file__).parents[1] / "src"
_LEVELS = {name: name.upper() for name in ("debug", "info", "warning", "error", "critical")} | {"exception": "ERROR"}


@dataclass(frozen=True)
class LogCall:
    """One call. Without a level the text is handed on: to a call of the same module, or to a record."""

    where: str
    text: str
    level: str | None

    @property
    def form(self) -> Form | None:
        return form_of(self.text)

    @property
    def event(self) -> str:
        assert self.form, f"{self.where}: {self.text!r} is not in the form of our log lines"
        return next(value for name, value in self.form.fields if name == "event")

    @property
    def fields(self) -> set[str]:
        assert self.form
        named = {name for name, _ in self.form.fields} - {"event"}
        return named if self.form.reason is None else named | {"reason"}


def log_calls() -> list[LogCall]:
    return [call for path in sorted(SRC.rglob("*.py")) for call in _calls_in(path)]


def _calls_in(path: Path) -> Iterator[LogCall]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    used, handed_on = set(), None
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LEVELS):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "log"):
            continue
        said, where, level = node.args[0], f"{path.relative_to(SRC)}:{node.lineno}", _LEVELS[node.func.attr]
        if isinstance(said, ast.Constant):
            yield LogCall(where, str(said.value), level)
        elif isinstance(said, ast.Name) and said.id in constants:
            used.add(said.id)
            yield LogCall(where, constants[said.id], level)
        else:
            handed_on = level
    for name, text in constants.items():
        if name not in used and " event=" in f" {text}":
            yield LogCall(f"{path.relative_to(SRC)}: {name}", text, handed_on)
