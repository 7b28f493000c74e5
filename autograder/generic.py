"""Small changes made by rule to the solutions, against the checks: what the zoo did not think of.

    for mutant in generic_mutants("one_hot"):
        verdict = judged(mutant, probes("one_hot"))   # "killed", "survived" or "equal"

A mutant counts where it changes what the function returns, or what it does to its arguments, on
calls that its docstring allows: some drawn for this (autograder/wide.py), some that checks have
made with other numbers, and variations of those.
"""

# mutmut and cosmic-ray change the files of a package and run its test suite for each change. Here
# one function is changed, in memory, and one check is asked: a walk over its tree does that.

import ast
import copy
import math
import multiprocessing
import resource
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from autograder import wide
from autograder.zoo import functions_of, solution_file, solution_functions
from cs_caption.checks import exercises, run_check, wire
from cs_caption.checks.farside import COUNT, FarSide
from cs_caption.checks.referee import torch_or_none
from cs_caption.checks.subject import LocalLink, LocalSubject, Subject
from cs_caption.checks.table import text_table
from cs_caption.checks.tensors import gaps, is_tensor
from cs_caption.checks.values import awkward

BAR = 0.95
SECONDS = 120  # for one mutant; the slowest that ends takes a few
MEMORY = 4 * 2**30  # bytes of addresses: a list that holds itself would take all there are
_SALT = "the generic mutants' own salt: no class is graded with it"
_OTHER_SEEDS = (101, 102, 103)
_WIDE = 60
_SAME = 1e-9  # relative to the largest entry
_NOTHING = 1e-12
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Generic:
    """One change: to the function of `exercise`, at `line` of the notebook's text."""

    exercise: str
    operator: str
    line: int
    before: str
    after: str
    text: str  # the changed function, whole

    def __str__(self) -> str:
        after = f"`{self.after}`" if self.after else "nothing"
        return f"{self.exercise}, line {self.line}, {self.operator}: `{self.before}` -> {after}"

    @property
    def function(self) -> Callable:
        """The changed function, among the other functions of its notebook."""
        solution = functions_of(solution_file(self.exercise))[self.exercise]
        names = dict(solution.__globals__)
        exec(compile(self.text, f"<{self.exercise}>", "exec"), names)
        return names[self.exercise]


@dataclass(frozen=True)
class Probe:
    """Calls that a check has made, and what the solution answers."""

    exercise: str
    requests: tuple[bytes, ...]
    answers: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, and the exercise whose check was asked."""

    mutant: Generic
    exercise: str
    result: str  # "killed" | "survived" | "equal"


def generic_mutants(exercise: str) -> list[Generic]:
    """Return the changes to an exercise's solution, in the order of its lines; no two are alike."""
    tree = ast.parse(solution_file(exercise).read_text("utf-8"))
    (function,) = (n for n in tree.body if getattr(n, "name", None) == exercise)
    if ast.get_docstring(function) is not None:
        del function.body[0]
    seen, found = {ast.unparse(function)}, []
    for operator, line, before, after, text in _changes(function):
        if text not in seen and _is_python(text):
            seen.add(text)
            found.append(Generic(exercise, operator, line, before, after, text))
    return sorted(found, key=lambda mutant: mutant.line)


def survey(names: Iterable[str], jobs: int) -> Iterator[list[Verdict]]:
    """Judge the mutants of each exercise, `jobs` exercises at a time; yield as they are done."""
    with ProcessPoolExecutor(jobs, mp_context=_FORK, initializer=_one_thread) as pool:
        yield from pool.map(judge_all, names)


def judge_all(exercise: str) -> list[Verdict]:
    """Judge the mutants of one exercise, each in a process of its own and within SECONDS."""
    tried = probes(exercise)
    return [_within_limit(mutant, tried) for mutant in generic_mutants(exercise)]


def probes(exercise: str) -> list[Probe]:
    """Return calls to compare on: first the exercise's own, then those of exercises that need it.

    So a forward function whose `out` is right and whose cache is not is met by the way back.
    """
    return [probe for name in (exercise, *_ways_back(exercise)) for probe in _probes(name)]


def judged(mutant: Generic, tried: Iterable[Probe]) -> Verdict:
    """Compare a mutant with the solution; where they differ, ask the check of that exercise."""
    changed = {mutant.exercise: mutant.function}
    for probe in tried:
        functions = solution_functions(probe.exercise) | changed
        if _differs(functions, probe):
            subject = LocalSubject(probe.exercise, functions)
            report = run_check(probe.exercise, subject, salt=_SALT)
            killed = report.points < report.max_points
            return Verdict(mutant, probe.exercise, "killed" if killed else "survived")
    return Verdict(mutant, mutant.exercise, "equal")


def format_verdicts(verdicts: list[Verdict]) -> str:
    """Return the table: for each exercise how many mutants were made, and what became of them."""
    names = list(dict.fromkeys(verdict.exercise for verdict in verdicts))
    rows = [_counts(name, [v for v in verdicts if v.exercise == name]) for name in names]
    header = ("exercise", "made", "equal", "change the output", "killed", "survived", "rate")
    return text_table(header, [*rows, _counts("all", verdicts)])


def format_left(verdicts: list[Verdict]) -> str:
    """Return what the checks let pass, and what changes nothing, a line each."""
    titles = {
        "survived": "the output changes, and the check gives full marks:",
        "equal": "the output is the same on everything tried:",
    }
    lines = []
    for result, title in titles.items():
        found = [f"  {verdict.mutant}" for verdict in verdicts if verdict.result == result]
        lines += ["", title, *(found or ["  none"])]
    return "\n".join(lines)


def rate(verdicts: Iterable[Verdict]) -> float:
    """Return which share is killed of the mutants that change the output."""
    results = [verdict.result for verdict in verdicts if verdict.result != "equal"]
    return results.count("killed") / len(results) if results else 1.0


# ------------------------------------------------------------------------------- the changes

_NAMES = {
    "max": "min", "maximum": "minimum", "sum": "mean", "exp": "exp2", "log": "log2",
    "zeros": "ones", "zeros_like": "ones_like", "float64": "float32",
}  # fmt: skip
_NAMES |= {new: old for old, new in _NAMES.items()}
_SIDES = {"H": "W", "HH": "WW", "OH": "OW", "i": "j", "top": "left"}
_SIDES |= {new: old for old, new in _SIDES.items()}
_COMPARED = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip


def _changes(function: ast.FunctionDef) -> Iterator[tuple[str, int, str, str, str]]:
    """Yield operator, line, before, after and the whole function for each change to it."""
    operators = OPERATORS | _own_operators(function)
    for parent in ast.walk(function):
        for holder, at, node in _children(parent):
            for operator, make in operators.items():
                for new in make(node):
                    text = _with(function, holder, at, new)
                    line = getattr(node, "lineno", getattr(parent, "lineno", 0))
                    after = "" if new is None else ast.unparse(new)
                    yield operator, line, ast.unparse(node), after, text


def _own_operators(function: ast.FunctionDef) -> dict[str, Callable]:
    """The changes that take something from elsewhere in the function."""
    names = [arg.arg for arg in function.args.args]
    names += [
        n.id
        for n in ast.walk(function)
        if isinstance(getattr(n, "ctx", None), ast.Store) and isinstance(n, ast.Name)
    ]
    names = list(dict.fromkeys(names))
    after = dict(zip(names, [*names[1:], names[0]], strict=True))

    def name(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in after:
            yield ast.Name(after[node.id], ast.Load())

    def early_return(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.For):
            yield _but(node, "body", [*node.body, function.body[-1]])

    return {"name": name, "early return": early_return}


def _is_python(text: str) -> bool:
    """Whether the change left something that can be run at all."""
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _children(parent: ast.AST) -> Iterator[tuple[Any, Any, ast.AST]]:
    """Yield what holds each child, where in it, and the child: `holder[at] = other` replaces it."""
    for field, value in ast.iter_fields(parent):
        if isinstance(value, ast.AST):
            yield vars(parent), field, value
        elif isinstance(value, list):
            yield from ((value, i, v) for i, v in enumerate(value) if isinstance(v, ast.AST))


def _with(function: ast.FunctionDef, holder: Any, at: Any, new: ast.AST | None) -> str:
    """The function's text with one node replaced, or taken out of its list."""
    kept = copy.copy(holder)
    if new is not None:
        holder[at] = new
    else:
        del holder[at]
    text = ast.unparse(ast.fix_missing_locations(function))
    if isinstance(holder, list):
        holder[:] = kept
    else:
        holder[at] = kept[at]
    return text


def _axis(node: ast.AST) -> Iterator[ast.AST | None]:
    match node:
        case ast.keyword(arg="keepdims"):
            yield None
        case ast.keyword(arg="axis", value=ast.Tuple(elts=elts)):
            yield None
            for i in range(len(elts)):
                fewer = elts[:i] + elts[i + 1 :]
                yield ast.keyword("axis", ast.Tuple(fewer, ast.Load()))
        case ast.keyword(arg="axis"):
            for other in (0, 1, -1):
                yield ast.keyword("axis", ast.Constant(other))
            yield None


def _side(node: ast.AST) -> Iterator[ast.AST]:
    """Height for width, at one place or where they get their names."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in _SIDES:
            yield ast.Name(_SIDES[name], ast.Load())
        case ast.Assign(targets=[ast.Tuple(elts=elts)]):
            for swapped in _swapped(elts):
                yield ast.Assign([ast.Tuple(swapped, ast.Store())], node.value)


def _sign(node: ast.AST) -> Iterator[ast.AST]:
    swap = {ast.Add: ast.Sub(), ast.Sub: ast.Add()}
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield ast.BinOp(node.left, swap[type(node.op)], node.right)
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            yield ast.AugAssign(node.target, swap[type(node.op)], node.value)
        case ast.UnaryOp(op=ast.USub()):
            yield node.operand
        case ast.Assign(value=ast.BinOp() | ast.Call()):
            yield ast.Assign(node.targets, ast.UnaryOp(ast.USub(), node.value))
        case ast.Return():
            yield from _each_returned(node, lambda part: ast.UnaryOp(ast.USub(), part))


def _product(node: ast.AST) -> Iterator[ast.AST]:
    """Product for quotient, elementwise for matrix product."""
    others = {
        ast.Mult: (ast.Div(), ast.MatMult()),
        ast.Div: (ast.Mult(),),
        ast.FloorDiv: (ast.Mult(),),
        ast.MatMult: (ast.Mult(),),
        ast.Pow: (ast.Mult(),),
    }
    if isinstance(node, ast.BinOp):
        for other in others.get(type(node.op), ()):
            yield ast.BinOp(node.left, other, node.right)
        if isinstance(node.op, ast.FloorDiv):  # rounded up
            up = ast.BinOp(ast.UnaryOp(ast.USub(), node.left), node.op, node.right)
            yield ast.UnaryOp(ast.USub(), up)


def _off_by_one(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=int(value)) if type(value) is int:
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Slice():
            for end in ("lower", "upper", "step"):
                if getattr(node, end) is not None:
                    yield from (_but(node, end, other) for other in _beside(getattr(node, end)))
                    yield _but(node, end, None)
        case ast.For():
            turns = ast.Call(ast.Name("list", ast.Load()), [node.iter], [])
            for turn in (ast.Slice(ast.Constant(1)), ast.Slice(None, ast.Constant(-1))):
                yield _but(node, "iter", ast.Subscript(turns, turn, ast.Load()))
        case ast.Call(func=ast.Name("range") | ast.Attribute(attr="arange" | "ndindex")):
            for i, arg in enumerate(node.args):
                if not isinstance(arg, ast.Starred):
                    yield from (_but(node, "args", _put(node.args, i, o)) for o in _beside(arg))


def _transposed(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Attribute(attr="T"):
            yield node.value
        case ast.BinOp(op=ast.MatMult()):
            yield _but(node, "left", ast.Attribute(node.left, "T", ast.Load()))
            yield _but(node, "right", ast.Attribute(node.right, "T", ast.Load()))
        case ast.Call(func=ast.Attribute(attr="transpose")):
            yield from (_but(node, "args", args) for args in _swapped(node.args))


def _order(node: ast.AST) -> Iterator[ast.AST]:
    """Operands, branches or results in another order."""
    match node:
        case ast.BinOp(op=ast.MatMult() | ast.Sub() | ast.Div() | ast.FloorDiv()):
            yield ast.BinOp(node.right, node.op, node.left)
        case ast.Return(value=ast.Tuple(elts=elts)):
            for other in _swapped(elts):
                yield ast.Return(ast.Tuple(other, ast.Load()))
        case ast.Tuple(elts=elts, ctx=ast.Load()):
            yield from (ast.Tuple(other, ast.Load()) for other in _swapped(elts))
        case ast.Call(func=ast.Attribute(attr="where")):
            mask, first, second = node.args
            yield _but(node, "args", [mask, second, first])
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Call(func=ast.Attribute(attr="reshape")):
            yield _but(node, "keywords", [ast.keyword("order", ast.Constant("F"))])


def _in_place(node: ast.AST) -> Iterator[ast.AST]:
    """A result written over what it is made of, where that is an array with a name."""
    names = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply"}
    match node:
        case ast.BinOp(left=ast.Name() as left) if type(node.op) in names:
            yield _numpy(names[type(node.op)], left, node.right, out=left)
        case ast.BinOp(right=ast.Name() as right) if type(node.op) in names:
            yield _numpy(names[type(node.op)], node.left, right, out=right)
        case ast.Call(func=ast.Attribute(attr="maximum" | "exp" | "tanh"), args=[first, *_]):
            yield _but(node, "keywords", [ast.keyword("out", first)])


def _dropped_term(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp():
            yield from (node.left, node.right)
        case ast.IfExp():
            yield from (node.body, node.orelse)


def _dropped_call(node: ast.AST) -> Iterator[ast.AST]:
    """`float(loss)` -> `loss`, `a.copy()` -> `a`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value)) if not _is_numpy(value):
            yield value
        case ast.Call(args=[first, *_]):
            yield first


def _dropped_statement(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Assign():
            yield ast.Pass()
            if isinstance(node.targets[0], ast.Subscript):
                yield ast.AugAssign(node.targets[0], ast.Add(), node.value)
        case ast.AugAssign():
            yield from (ast.Pass(), ast.Assign([node.target], node.value))


def _comparison(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for other in _COMPARED.get(type(node.ops[0]), ()):
            yield ast.Compare(node.left, [other()], node.comparators)


def _function(node: ast.AST) -> Iterator[ast.AST]:
    """One function for another: sum for mean, max for min, exp2 for exp, sigmoid for tanh."""
    match node:
        case ast.Attribute(attr=name) if name in _NAMES:
            yield ast.Attribute(node.value, _NAMES[name], ast.Load())
        case ast.Name(id="max" | "min" as name):
            yield ast.Name(_NAMES[name], ast.Load())
        case ast.Call(func=ast.Attribute(attr="tanh"), args=[arg]):
            sigmoid = ast.parse("1 / (1 + np.exp(-a))", mode="eval").body
            sigmoid.right.right.args[0].operand = arg
            yield sigmoid


def _constant(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=int() | float() as value) if type(value) is not bool:
            others = (0, 1, 2, 0.5)
            yield from (ast.Constant(other) for other in others if other != value)
        case ast.Attribute(attr="inf"):
            yield ast.Constant(0)


def _dtype(node: ast.AST) -> Iterator[ast.AST]:
    single, double = (_numpy(name).func for name in ("float32", "float64"))
    match node:
        case ast.Attribute(attr="dtype"):
            yield from (single, double)
        case ast.Return():
            yield from _each_returned(node, lambda part: _method(part, "astype", single))
        case ast.Call(func=ast.Attribute(attr="zeros"), args=[shape]):
            yield _but(node, "args", [shape, single])
        case ast.Call(func=ast.Attribute(attr="zeros_like"), args=[like]):
            shape = ast.Attribute(like, "shape", ast.Load())
            yield _numpy("zeros", shape)


OPERATORS: dict[str, Callable[[ast.AST], Iterable[ast.AST | None]]] = {
    "axis": _axis,
    "side": _side,
    "sign": _sign,
    "product": _product,
    "off by one": _off_by_one,
    "transposed": _transposed,
    "order": _order,
    "in place": _in_place,
    "dropped term": _dropped_term,
    "dropped call": _dropped_call,
    "dropped statement": _dropped_statement,
    "comparison": _comparison,
    "function": _function,
    "constant": _constant,
    "dtype": _dtype,
}


def _each_returned(node: ast.Return, change: Callable[[ast.AST], ast.AST]) -> Iterator[ast.AST]:
    """The return line with each of its results changed; the tuple of a cache is none."""
    if not isinstance(node.value, ast.Tuple):
        yield ast.Return(change(node.value))
        return
    parts = node.value.elts
    for i, part in enumerate(parts):
        if not isinstance(part, ast.Tuple):
            yield ast.Return(ast.Tuple(_put(parts, i, change(part)), ast.Load()))


def _swapped(items: list) -> Iterator[list]:
    for i, j in pairwise(range(len(items))):
        yield _put(_put(items, i, items[j]), j, items[i])


def _put(items: list, at: int, new: Any) -> list:
    return [*items[:at], new, *items[at + 1 :]]


def _beside(node: ast.AST) -> tuple[ast.AST, ast.AST]:
    one = ast.Constant(1)
    return ast.BinOp(node, ast.Add(), one), ast.BinOp(node, ast.Sub(), one)


def _but(node: ast.AST, field: str, value: Any) -> ast.AST:
    other = copy.copy(node)
    setattr(other, field, value)
    return other


def _method(value: ast.AST, name: str, *args: ast.AST) -> ast.AST:
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(args), [])


def _numpy(name: str, *args: ast.AST, **keywords: ast.AST) -> ast.AST:
    function = ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())
    return ast.Call(function, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def _is_numpy(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id == "np"


# -------------------------------------------------------------------------- the comparison


def _ways_back(exercise: str) -> list[str]:
    return [name for name, other in exercises().items() if exercise in other.needs]


class _Recorder(LocalLink):
    """Functions in this process, and every request that came for them."""

    def __init__(self, functions: dict[str, Callable]) -> None:
        super().__init__(functions)
        self.requests: list[bytes] = []

    def exchange(self, request: bytes, count: int) -> list[bytes]:
        if wire.loads(request)[0] != COUNT:
            self.requests.append(request)
        return super().exchange(request, count)


def _probes(exercise: str) -> Iterator[Probe]:
    yield _wide(exercise)
    for seed in _OTHER_SEEDS:
        link = _Recorder(solution_functions(exercise))
        run_check(exercise, Subject(exercise, link), seed=seed)
        yield _answered(exercise, link.requests)
    for vary in VARIATIONS:
        yield _answered(exercise, [_varied(request, vary) for request in link.requests])


def _wide(exercise: str) -> Probe:
    """Calls with arguments that no check has drawn; of a way back, with a gradient for each."""
    rng, (forward, *_) = np.random.RandomState(0), (*exercises()[exercise].needs, exercise)
    solution, requests = solution_functions(exercise), []
    for number in range(1, _WIDE + 1):
        args = wide.draw(forward, rng)
        if forward == exercise and not _ways_back(exercise):
            requests.append((exercise, [(args, ())]))
            continue
        *outs, _ = solution[forward](*args)  # the cache is nobody's business but the way back's
        requests.append((forward, [(args, ((len(outs), number),))]))
        if forward != exercise:
            arriving = outs[: solution[exercise].__code__.co_argcount - 1]
            douts = [rng.standard_normal(out.shape) for out in arriving]
            requests.append((exercise, [((*douts, wire.Handle(number)), ())]))
    return _answered(exercise, map(wire.dumps, requests))


def _answered(exercise: str, requests: Iterable[bytes]) -> Probe:
    far, requests = FarSide(solution_functions(exercise)), tuple(requests)
    return Probe(exercise, requests, tuple(tuple(far.answer(request)) for request in requests))


def _varied(request: bytes, vary: Callable[[np.ndarray, int], np.ndarray]) -> bytes:
    function, calls = wire.loads(request)
    calls = [(_each_array(args, vary, _batch(args)), keep) for args, keep in calls]
    return wire.dumps((function, calls))


def _each_array(value: Any, vary: Callable, batch: int) -> Any:
    if type(value) in (tuple, list):
        return type(value)(_each_array(item, vary, batch) for item in value)
    if type(value) is dict:
        return {key: _each_array(item, vary, batch) for key, item in value.items()}
    if is_tensor(value) and value.ndim:
        varied = vary(value.numpy(), batch)
        numbers = torch_or_none().tensor(np.array(varied))
        return numbers if varied.flags.c_contiguous else gaps(numbers)
    return vary(value, batch) if type(value) is np.ndarray and value.ndim else value


def _batch(value: Any) -> int:
    """The length of the first array's first axis: N, which is no other size in a check."""
    if (type(value) is np.ndarray or is_tensor(value)) and value.ndim:
        return len(value)
    parts = value if type(value) in (tuple, list) else ()
    return next((n for n in map(_batch, parts) if n >= 0), -1)


def _scaled(by: float) -> Callable[[np.ndarray, int], np.ndarray]:
    return lambda value, batch: (
        (value * by).astype(value.dtype) if value.dtype.kind == "f" else value
    )


VARIATIONS = (
    _scaled(-1000.0),
    _scaled(0.001),
    lambda value, batch: awkward(value),
    lambda value, batch: value[:1] if len(value) == batch else value,  # a batch of one; none is 0
)


def _differs(functions: dict[str, Callable], probe: Probe) -> bool:
    """Say whether these functions answer otherwise, where the solution has an answer."""
    far = FarSide(functions)
    return any(
        not _alike(found, wanted)
        for request, answers in zip(probe.requests, probe.answers, strict=True)
        for found, wanted in zip(far.answer(request), answers, strict=True)
    )


def _alike(found: bytes, wanted: bytes) -> bool:
    if found == wanted:
        return True
    wanted, found = wire.loads(wanted), wire.loads(found)
    return wanted[0] == "error" or not _finite(wanted) or _equal(found, wanted)


def _finite(value: Any) -> bool:
    if type(value) in (tuple, list):
        return all(map(_finite, value))
    if type(value) is dict:
        return all(map(_finite, value.values()))
    if is_tensor(value):
        return _finite(value.numpy())
    return not isinstance(value, float | np.ndarray | np.generic) or bool(np.isfinite(value).all())


def _equal(found: Any, wanted: Any) -> bool:
    """Say whether two values are of one kind and shape, and equal but for rounding."""
    found, wanted = map(_plain, (found, wanted))
    if type(found) is not type(wanted):
        return False
    if type(wanted) in (tuple, list):
        return len(found) == len(wanted) and all(map(_equal, found, wanted))
    if type(wanted) is dict:
        return found.keys() == wanted.keys() and all(_equal(found[k], wanted[k]) for k in wanted)
    if is_tensor(wanted):
        return _equal(found.numpy(), wanted.numpy())
    if type(wanted) is float:
        return math.isclose(found, wanted, rel_tol=_SAME, abs_tol=_NOTHING)
    if type(wanted) is not np.ndarray:
        return found == wanted
    if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
        return False
    # in float32 rounding alone is more than _SAME
    relative = 1e-5 if wanted.dtype == np.float32 else _SAME
    scale = max(relative * float(np.max(np.abs(wanted), initial=0.0)), _NOTHING)
    return bool(np.all(np.abs(found.astype(float) - wanted) <= scale))


def _plain(value: Any) -> Any:
    """A float64 or int64 scalar as the number that it is everywhere."""
    plain = isinstance(value, np.generic) and value.dtype in (np.float64, np.int64, np.bool_)
    return value.item() if plain else value


def _one_thread() -> None:
    """Threads do not survive a fork: torch would wait for its own for ever."""
    torch = torch_or_none()
    if torch is not None:
        torch.set_num_threads(1)


def _within_limit(mutant: Generic, tried: list[Probe]) -> Verdict:
    """Judge in a process of its own: what does not end, takes all memory or ends it, is killed.

    Raises: RuntimeError where it is the judging that failed.
    """
    receiver, sender = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_send, args=(sender, mutant, tried))
    child.start()
    sender.close()
    try:
        answer = receiver.recv() if receiver.poll(SECONDS) else None
    except EOFError:
        answer = None
    finally:
        child.kill()
        child.join()
        receiver.close()
    if isinstance(answer, str):
        raise RuntimeError(f"{mutant} could not be judged: {answer}")
    return Verdict(mutant, *(answer or (mutant.exercise, "killed")))


def _send(sender: Any, mutant: Generic, tried: list[Probe]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        verdict = judged(mutant, tried)
        sender.send((verdict.exercise, verdict.result))
    except Exception as error:
        sender.send(f"{type(error).__name__}: {error}")


def _counts(name: str, verdicts: list[Verdict]) -> list[str]:
    results = [verdict.result for verdict in verdicts]
    equal, killed, survived = (results.count(r) for r in ("equal", "killed", "survived"))
    numbers = (len(results), equal, killed + survived, killed, survived)
    return [name, *map(str, numbers), f"{rate(verdicts):.1%}"]
