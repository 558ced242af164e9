"""Regular expressions of nginx's configuration, matched in bounded time: without backtracking, on an own machine.

Whether a pattern matches anywhere in a text is all that the choice of a location or a server asks. So the part of
PCRE that needs no backtracking is read, and all states it can be in are followed at once: a pattern that would keep a
backtracking engine busy for hours costs as much as any other. Not read are back references, atomic groups, possessive
repeats, look-behinds, POSIX and Unicode classes. nginx matches bytes, and so do we.
"""

from __future__ import annotations

from advisor.formats.pattern_parser import (
    WORD,
    At,
    Chars,
    CharSet,
    Choice,
    Look,
    Piece,
    Place,
    Repeat,
    Unsupported,
    parse,
)

__all__ = ["Pattern", "Unsupported"]

_LONGEST = 2048
"""Bytes of a text; nginx takes no request line that does not fit into a buffer, of 8 KiB by default."""
_MOST_STATES = 5000
"""States of a pattern, repeats written out."""
_MOST_STEPS = 1_000_000
"""States visited for one text, some 0.3 s."""


class Pattern:
    """A pattern that can be asked.

    Args:
        text: as it stands in the configuration, unquoted.
        ignore_case: whether upper and lower case are one (``~*``).

    Raises:
        Unsupported: when it is not of the part that is read; its text says what is not.
    """

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        builder = _Builder()
        end = _State(ends=True)
        self._start = builder.choice(parse(_bytes(text), ignore_case=ignore_case), end)

    def matches(self, text: str) -> bool:
        """Whether it matches anywhere in a text.

        Raises:
            Unsupported: when the text is longer than 2,048 bytes, or the answer takes too long.
        """
        data = _bytes(text)
        if len(data) > _LONGEST:
            raise Unsupported(f"the text is longer than {_LONGEST} bytes")
        return _Run(data).matches(self._start, 0, anywhere=True)


def _bytes(text: str) -> str:
    """A character for each byte."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


class _State:
    """A state: a character of ``chars`` leads on (None: no character is needed), if ``condition`` holds here."""

    __slots__ = ("after", "chars", "condition", "ends", "negated")

    def __init__(self, after: list[_State] | None = None, *, ends: bool = False) -> None:
        self.after = after or []
        self.ends = ends
        self.chars: CharSet | None = None
        self.condition: Place | _State | None = None
        self.negated = False


class _Builder:
    """A tree into states, from the end of the pattern to its beginning."""

    def __init__(self) -> None:
        self.states = 0

    def choice(self, tree: Choice, after: _State) -> _State:
        return self.state([self.sequence(option, after) for option in tree.options])

    def sequence(self, pieces: tuple[Piece, ...], after: _State) -> _State:
        for piece in reversed(pieces):
            after = self.piece(piece, after)
        return after

    def piece(self, piece: Piece, after: _State) -> _State:
        if isinstance(piece, Choice):
            return self.choice(piece, after)
        if isinstance(piece, Repeat):
            return self.repeat(piece, after)
        state = self.state([after])
        if isinstance(piece, Chars):
            state.chars = piece.chars
        elif isinstance(piece, At):
            state.condition = piece.place
        elif isinstance(piece, Look):
            state.condition = self.choice(piece.inner, _State(ends=True))
            state.negated = piece.negated
        return state

    def repeat(self, piece: Repeat, after: _State) -> _State:
        if piece.high is None:
            loop = self.state([after])
            loop.after.append(self.piece(piece.inner, loop))
            after = loop
        for _ in range(piece.low, piece.high or piece.low):
            after = self.state([self.piece(piece.inner, after), after])
        for _ in range(piece.low):
            after = self.piece(piece.inner, after)
        return after

    def state(self, after: list[_State]) -> _State:
        self.states += 1
        if self.states > _MOST_STATES:
            raise Unsupported(f"it has more than {_MOST_STATES} states")
        return _State(after)


class _Run:
    """A text, and what is known of it so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = 0
        self.looked: dict[tuple[_State, int], bool] = {}

    def matches(self, start: _State, position: int, *, anywhere: bool) -> bool:
        """Whether what begins at a state matches from a position on, or from any later one as well."""
        todo = [start]
        while True:
            waiting = self._follow(todo, position)
            if waiting is None:
                return True
            if position == len(self.text) or not (waiting or anywhere):
                return False
            char = self.text[position]
            todo = [after for state in waiting for after in state.after if char in (state.chars or ())]
            todo += [start] if anywhere else []
            position += 1

    def _follow(self, todo: list[_State], position: int) -> list[_State] | None:
        """The states that wait for a character; None when the end of the pattern can be reached without one."""
        seen: set[_State] = set()
        waiting = []
        while todo:
            state = todo.pop()
            if state in seen:
                continue
            seen.add(state)
            self.steps += 1
            if self.steps > _MOST_STEPS:
                raise Unsupported("it would take too long")
            if state.ends:
                return None
            if state.chars is not None:
                waiting.append(state)
            elif state.condition is None or self._holds(state, position):
                todo += state.after
        return waiting

    def _holds(self, state: _State, position: int) -> bool:
        condition = state.condition
        if isinstance(condition, _State):
            key = (state, position)
            if key not in self.looked:
                self.looked[key] = self.matches(condition, position, anywhere=False) != state.negated
            return self.looked[key]
        rest = self.text[position : position + 2]
        if condition is Place.START:
            return position == 0
        if condition is Place.STOP:
            return not rest
        if condition is Place.FINISH:
            return rest in {"", "\n"}
        edge = (self.text[position - 1 : position] in WORD) != (rest[:1] in WORD)
        return edge == (condition is Place.EDGE)
