"""A function that a student wrote in an earlier notebook, used in a later one.

    step = from_notebook("03_lstm_gates", "lstm_step_forward")      # None where there is none

Of the earlier notebook only what the function leans on is run: other functions, imports, values
that they name. No test runs, no demonstration, nothing that is not asked for.
"""

import ast
import builtins
import linecache
import re
import symtable
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cs_caption.submission.cells import Cell, read_cells
from cs_caption.submission.pairs import paired, releases

_MAGIC = re.compile(r"^([ \t]*)[%!].*$", re.MULTILINE)


class _NotThere(Exception):
    """There is no such function; the message says why."""


@dataclass(frozen=True)
class _Statement:
    """A statement that stands by itself in a cell: what it binds, and the names that it uses."""

    node: ast.stmt
    cell: Cell
    binds: frozenset[str]
    uses: frozenset[str]


def from_notebook(notebook: str, exercise: str) -> Callable | None:
    """Return your own function out of a notebook beside this one, or None; say which, and why.

    The notebook is looked for in its own folder beside this one's, and in this one's.
    Raises: ValueError where there is no such notebook in the course, or no such exercise in it.
    """
    _require_known(notebook, exercise)
    try:
        path = _path(notebook)
        function = _function(_read(path), notebook, exercise)
    except _NotThere as reason:
        print(f"{exercise}: none of yours; {reason}")
        return None
    print(f"{exercise}: yours, out of {path.as_posix()}")
    return function


def _require_known(notebook: str, exercise: str) -> None:
    known = releases()
    if notebook not in known:
        raise ValueError(f"there is no notebook {notebook!r}; there are {', '.join(known)}")
    stubs = [one["grade_id"] for one in known[notebook] if one["points"] is None]
    if exercise not in stubs:
        raise ValueError(f"{notebook} has no exercise {exercise!r}; it has {', '.join(stubs)}")


def _path(notebook: str) -> Path:
    folders = (Path("..", notebook), Path("."))
    found = [folder / f"{notebook}.ipynb" for folder in folders]
    for path in found:
        if path.is_file():
            return path
    raise _NotThere(f"there is neither {' nor '.join(path.as_posix() for path in found)}")


def _read(path: Path) -> list[Cell]:
    try:
        return read_cells(path)
    except (OSError, ValueError) as error:
        raise _NotThere(str(error)) from None


def _function(cells: Sequence[Cell], notebook: str, exercise: str) -> Callable:
    """Run what the function needs, in the notebook's order, and return it."""
    pairs = paired(releases()[notebook], cells)
    tests = {id(cell) for pair in pairs if pair.is_test for cell in (*pair.labelled, pair.lost)}
    (own,) = (pair.cell for pair in pairs if pair.grade_id == exercise)
    run = [c for c in cells if c.kind == "code" and id(c) not in tests and "demo" not in c.tags]
    statements = [each for cell in run for each in _statements(cell, needed=cell is own)]
    space = {"__name__": notebook}
    for statement in _needed(exercise, own, statements):
        try:
            exec(_compiled(statement, notebook), space)
        except Exception as error:
            where = f"cell {statement.cell.place}"
            raise _NotThere(f"{where} stopped with {type(error).__name__}: {error}") from None
    return space[exercise]


def _statements(cell: Cell, needed: bool) -> Iterator[_Statement]:
    """The statements of a cell, IPython's own left out; none where it is no Python.

    Raises: _NotThere where that is so and the function is in it.
    """
    try:
        tree = ast.parse(_python(cell))
    except (SyntaxError, ValueError) as error:
        if needed:
            line = getattr(error, "lineno", None)
            at = f", line {line}" if line else ""
            raise _NotThere(f"its cell (cell {cell.place}{at}) is not Python: {error}") from None
        return
    for node in tree.body:
        table = symtable.symtable(ast.unparse(node), "cell", "exec")
        bound = (s for s in table.get_symbols() if s.is_assigned() or s.is_imported())
        binds = frozenset(symbol.get_name() for symbol in bound)
        yield _Statement(node, cell, binds, frozenset(_globals(table, top=True)))


def _globals(table: symtable.SymbolTable, top: bool = False) -> Iterator[str]:
    """The names that are looked up in the notebook itself."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _globals(inner)


def _needed(exercise: str, own: Cell | None, statements: list[_Statement]) -> list[_Statement]:
    """What has to run for the function to be there, in the notebook's order.

    Of several definitions of a name the last counts; of the function, that in its own cell.
    Raises: _NotThere where a name has none, or is that of a stub.
    """
    defined = {name: each for each in statements for name in each.binds}
    at_home = [each for each in statements if each.cell is own and exercise in each.binds]
    if at_home:
        defined[exercise] = at_home[-1]
    needed, asked = [], [exercise]
    for name in asked:
        if name in defined and defined[name] not in needed:
            needed.append(defined[name])
            _require_written(name, exercise, defined[name].node)
            asked += sorted(defined[name].uses)
        elif name not in defined and (name == exercise or not hasattr(builtins, name)):
            raise _NotThere(_undefined(name, exercise))
    return [each for each in statements if each in needed]


def _require_written(name: str, exercise: str, node: ast.stmt) -> None:
    if not isinstance(node, ast.FunctionDef):
        return
    first = node.body[1:] if ast.get_docstring(node) is not None else node.body
    match first:
        case [ast.Raise(exc=ast.Name(id=kind) | ast.Call(func=ast.Name(id=kind))), *_]:
            if kind == "NotImplementedError":
                which = "it" if name == exercise else f"{name}, which it needs,"
                raise _NotThere(f"{which} is not written yet")


def _undefined(name: str, exercise: str) -> str:
    if name == exercise:
        return "no cell defines it any more"
    return f"it needs {name}, which no cell defines (but for tests and demonstrations)"


def _python(cell: Cell) -> str:
    return _MAGIC.sub(r"\1pass", cell.source)


def _compiled(statement: _Statement, notebook: str) -> types.CodeType:
    """The statement's code, such that a traceback shows its lines."""
    name = f"<{notebook}, cell {statement.cell.place}>"
    text = _python(statement.cell)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return compile(ast.Module([statement.node], []), name, "exec")
