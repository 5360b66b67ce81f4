"""Run a parsed pattern over a text, one step per character, whatever the pattern (Thompson 1968).

Nothing is ever tried twice. The set of states that are alive after a character is remembered per set and character,
so that a text costs about one look-up per character. What is remembered is bounded and never changes an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_REPEAT = 100  # the largest count in {m,n}
MAX_STATES = 500  # states after counts are written out
MAX_REMEMBERED = 4096  # remembered steps per pattern, a few MiB at most

CharTest = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Char:
    """One character that passes the test."""

    test: CharTest


@dataclass(frozen=True, slots=True)
class Edge:
    """`^` (the start of the text) or `$` (its end)."""

    start: bool


@dataclass(frozen=True, slots=True)
class Sequel:
    """All parts, one after the other."""

    parts: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the branches."""

    branches: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The body `least` to `most` times; None is without end."""

    body: Node
    least: int
    most: int | None


Node = Char | Edge | Sequel | Choice | Repeat


@dataclass(slots=True)
class _State:
    """Consumes a character by `test`, or, without one, stands for all of `to`; `edge` guards the way on."""

    to: list[int]
    test: CharTest | None = None
    edge: Edge | None = None


@dataclass(frozen=True, slots=True)
class _Alive:
    """The consuming states alive at one place, and whether the end of the pattern is reached."""

    states: frozenset[int]
    done: bool
    done_at_end: bool


class Automaton:
    """A pattern ready to be looked for anywhere in a text."""

    def __init__(self, node: Node) -> None:
        self._states: list[_State] = [_State([])]  # state 0 is the end of the pattern
        self._first = self._build(node, 0)
        self._start = self._close([self._first], at_start=True)
        self._steps: dict[tuple[_Alive, str], _Alive] = {}

    def found(self, text: str) -> bool:
        """Tell whether the pattern matches somewhere in `text`."""
        alive = self._start
        for char in text:
            if alive.done:
                return True
            step = self._steps.get((alive, char))
            alive = step if step is not None else self._step(alive, char)
        return alive.done or alive.done_at_end or (not text and self._empty_matches())

    def _empty_matches(self) -> bool:
        return self._close([self._first], at_start=True, at_end=True).done

    def _step(self, alive: _Alive, char: str) -> _Alive:
        after = [self._first]  # a match may begin at every place
        for number in alive.states:
            test = self._states[number].test
            if test is not None and test(char):
                after.extend(self._states[number].to)
        if len(self._steps) >= MAX_REMEMBERED:
            self._steps.clear()
        return self._steps.setdefault((alive, char), self._close(after))

    def _close(self, numbers: list[int], *, at_start: bool = False, at_end: bool = False) -> _Alive:
        strict = self._reach(numbers, at_start, at_end)
        ended = self._reach(numbers, at_start, True)
        consuming = frozenset(n for n in strict if self._states[n].test is not None)
        return _Alive(consuming, 0 in strict, 0 in ended)

    def _reach(self, numbers: list[int], at_start: bool, at_end: bool) -> set[int]:
        seen: set[int] = set()
        waiting = list(numbers)
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            state = self._states[number]
            blocked = state.edge is not None and not (at_start if state.edge.start else at_end)
            if state.test is None and not blocked:
                waiting.extend(state.to)
        return seen

    def _build(self, node: Node, then: int) -> int:
        """Add the states of `node`, leading on to `then`; return the state it begins with."""
        match node:
            case Char(test):
                return self._add(_State([then], test=test))
            case Edge():
                return self._add(_State([then], edge=node))
            case Sequel(parts):
                for part in reversed(parts):
                    then = self._build(part, then)
                return then
            case Choice(branches):
                return self._add(_State([self._build(branch, then) for branch in branches]))
            case Repeat():
                return self._build_repeat(node, then)

    def _build_repeat(self, node: Repeat, then: int) -> int:
        if node.most is None:
            loop = self._add(_State([then]))
            self._states[loop].to.append(self._build(node.body, loop))
            then = loop
        else:
            leave = then
            for _ in range(node.most - node.least):
                then = self._add(_State([leave, self._build(node.body, then)]))
        for _ in range(node.least):
            then = self._build(node.body, then)
        return then

    def _add(self, state: _State) -> int:
        if len(self._states) >= MAX_STATES:
            raise ValueError(f"the pattern needs more than {MAX_STATES} states; use smaller counts")
        self._states.append(state)
        return len(self._states) - 1
