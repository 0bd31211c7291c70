"""Read the few pickles that hold arrays in a dict, without running what a pickle asks for.

A pickle is a program, and the usual reader runs it: a file from a stranger can do anything. This reader
knows the few opcodes that a dict of arrays is made of, calls nothing at all, and refuses every other name by
name. It also leaves long strings where they are in the file, so that a caller reads only the part it needs.

The opcodes and their arguments are documented in `pickletools` of the standard library, the state of a
pickled array in `numpy.ndarray.__setstate__`.
"""

from __future__ import annotations

import codecs
import math
import os
import pickle
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from bench.datasets._py2_pickle_array import BLOCK, Array, Span
from bench.recordings import DataError

__all__ = ["Array", "open_pickle"]

# What a pickled array asks for, by the module names of old and new numpy.
_ADMITTED = {
    "numpy.core.multiarray._reconstruct": "_reconstruct",
    "numpy._core.multiarray._reconstruct": "_reconstruct",
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",  # how Python 3 writes bytes for Python 2
}
_MAX_OPCODES = 10_000  # a dict of two arrays takes about a hundred
_MAX_LINE = 1000  # of a name or number
_LONG_STRING = 65_536  # bytes; from here on a string stays in the file
_NUMERIC = re.compile(r"[biufc]\d{1,2}")


class _Name(str):
    """An admitted name. It stands for the function and is never called."""


class _Dtype:
    """A dtype that the pickle is making: its code, then its byte order."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = ""


@contextmanager
def open_pickle(path: Path) -> Iterator[dict[str, Any]]:
    """Open a pickled dict of arrays, of protocol 0 to 4, written by Python 2 or 3.

    Parameters
    ----------
    path : Path
        The file. It stays open within the ``with`` block, where `Array.read` and `Array.rows` read from it.

    Yields
    ------
    dict
        By key (str), an `Array` or whatever simple value was stored: bool, int, None, str, bytes, tuple.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, or asks for anything but an array: the message names the file
        and what it asks for, and nothing of it has been run.
    """
    try:
        with open(path, "rb") as file:
            yield _Machine(file).run()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error


class _Machine:
    """The stack machine that a pickle is a program for, less everything that could call something."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> dict[str, Any]:
        at = 0
        try:
            for _ in range(_MAX_OPCODES):
                at = self.file.tell()
                opcode = self.take(1)
                if opcode == pickle.STOP:
                    return self.result(self.stack.pop())
                self.step(opcode, at)
        # What damaged bytes lead to: names, counts and types that do not fit each other.
        except (LookupError, TypeError, ValueError, AttributeError, MemoryError, OverflowError) as error:
            raise self.damaged(f"its instruction at byte {at} makes no sense") from error
        raise self.damaged(f"more than {_MAX_OPCODES} instructions")

    def damaged(self, why: str) -> DataError:
        return DataError(f"{self.file.name}: truncated or not a pickle of arrays: {why}")

    def refused(self, what: str) -> DataError:
        return DataError(f"{self.file.name}: refused: {what}")

    def result(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.damaged(f"it holds a {_kind(value)}, not a dict")
        return value

    # Reading

    def take(self, n_bytes: int) -> bytes:
        self.within(n_bytes)
        return self.file.read(n_bytes)

    def within(self, n_bytes: int) -> None:
        """Check that the file goes on for `n_bytes`, before anything is set aside for them."""
        at = self.file.tell()
        if n_bytes > self.size - at:
            raise self.damaged(f"it ends at byte {self.size}, {n_bytes} bytes were to follow byte {at}")

    def number(self, n_bytes: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(n_bytes), "little", signed=signed)

    def string(self, n_bytes: int) -> bytes | Span:
        if n_bytes < _LONG_STRING:
            return self.take(n_bytes)
        self.within(n_bytes)
        span = Span(self.file.tell(), n_bytes)
        self.file.seek(n_bytes, os.SEEK_CUR)
        return span

    def line(self) -> str:
        """Read a name or a number."""
        text = self.file.readline(_MAX_LINE)
        if not text.endswith(b"\n"):
            raise self.damaged(f"no end of line before byte {self.file.tell()}")
        return text[:-1].decode("latin-1")

    def long_line(self) -> bytes:
        """Read a line of protocol 0, which can be as long as the file; `readline` would hold it twice."""
        line = self.line_span()
        self.file.seek(line.start)
        text = self.file.read(line.n_bytes)
        self.take(1)
        return text

    def line_span(self) -> Span:
        """Pass over a line and its end."""
        start, end = self.file.tell(), -1
        while end < 0:
            at = self.file.tell()
            block = self.file.read(BLOCK)
            if not block:
                raise self.damaged(f"no end of line after byte {start}")
            end = block.find(b"\n")
        self.file.seek(at + end + 1)
        return Span(start, at + end - start)

    def literal(self) -> bytes | Span:
        """Read a string of protocol 0, in quotes; a long one stays where it is."""
        line = self.line_span()
        if line.n_bytes < 2:
            raise ValueError
        after = self.file.tell()
        self.file.seek(line.start)
        first = self.file.read(1)
        inside = Span(line.start + 1, line.n_bytes - 2, literal=True)
        text = b"" if inside.n_bytes >= _LONG_STRING else self.file.read(inside.n_bytes)
        self.file.seek(after - 2)
        if first not in (b"'", b'"') or self.file.read(1) != first:
            raise ValueError
        self.file.seek(after)
        return inside if inside.n_bytes >= _LONG_STRING else codecs.escape_decode(text)[0]

    # Building

    def since_mark(self) -> list[Any]:
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def top(self, n_items: int) -> tuple[Any, ...]:
        if n_items > len(self.stack):
            raise IndexError
        items = tuple(self.stack[-n_items:])
        del self.stack[-n_items:]
        return items

    def named(self, module: Any, name: Any) -> _Name:
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError
        full = f"{module}.{name}"
        if full not in _ADMITTED:
            raise self.refused(f"the pickle asks for '{full:.100}'")
        return _Name(_ADMITTED[full])

    def store(self, target: Any, items: Iterable[Any]) -> None:
        if not isinstance(target, dict):
            raise self.refused(f"the pickle sets items of a {_kind(target)}")
        for key, value in zip(*[iter(items)] * 2, strict=True):
            # Nested tuples as keys could take for ever to hash.
            if not isinstance(key, (str, bytes)):
                raise self.refused(f"the pickle has a {_kind(key)} as a key")
            target[key if isinstance(key, str) else key.decode("latin-1")] = value

    def reduce(self, function: Any, args: Any) -> Any:
        """Stand in for calling `function`."""
        match function, args:
            case _Name("_reconstruct"), (_Name("ndarray"), _, _):
                return Array(self.file)
            case _Name("dtype"), (str() | bytes() as code, *_):
                return _Dtype(_text(code))
            case _Name("encode"), (str() as text, "latin1" | "latin-1" | b"latin1" | b"latin-1"):
                return text
        raise self.refused(
            f"the pickle calls {function if isinstance(function, _Name) else _kind(function)!r}"
        )

    def build(self, target: Any, state: Any) -> None:
        """Stand in for ``target.__setstate__(state)``."""
        if isinstance(target, _Dtype):
            _, order, *_ = state
            target.order = _text(order)
        elif isinstance(target, Array):
            _, shape, dtype, fortran, payload = state
            code = f"{dtype.order}{dtype.code}"
            if not _NUMERIC.fullmatch(dtype.code) or dtype.order not in ("<", ">", "|"):
                raise self.refused(f"the pickle holds an array of type {code!r:.100}")
            if not isinstance(payload, (bytes, str, Span)):
                raise TypeError
            if len(shape) > 3 or not all(type(n) is int and 0 <= n < 1 << 32 for n in shape):
                raise ValueError
            target.set(tuple(shape), np.dtype(code), bool(fortran), payload)
            n_bytes = payload.n_bytes if isinstance(payload, Span) else len(payload)
            expected = math.prod(target.shape) * target.dtype.itemsize
            literal = isinstance(payload, Span) and payload.literal
            # A byte takes one character to four in a literal; how many there are is known once it is read.
            if not (expected <= n_bytes <= 4 * expected if literal else n_bytes == expected):
                raise self.damaged(f"an array of shape {target.shape} and type {code} in {n_bytes} bytes")
        else:
            raise self.refused(f"the pickle sets the state of a {_kind(target)}")

    def step(self, opcode: bytes, at: int) -> None:  # noqa: C901  # a table: an instruction a case
        push = self.stack.append
        match opcode:
            case pickle.PROTO:
                self.take(1)
            case pickle.FRAME:
                self.take(8)  # how much to read at once: a hint only
            case pickle.MARK:
                self.marks.append(len(self.stack))
            case pickle.NONE:
                push(None)
            case pickle.NEWTRUE:
                push(True)
            case pickle.NEWFALSE:
                push(False)
            case pickle.INT | pickle.LONG:
                text = self.line()
                push(text == "01" if text in ("00", "01") else int(text.removesuffix("L")))
            case pickle.BININT:
                push(self.number(4, signed=True))
            case pickle.BININT1:
                push(self.number(1))
            case pickle.BININT2:
                push(self.number(2))
            case pickle.LONG1:
                push(self.number(self.number(1), signed=True))
            case pickle.STRING:
                push(self.literal())
            case pickle.SHORT_BINSTRING | pickle.SHORT_BINBYTES:
                push(self.string(self.number(1)))
            case pickle.BINSTRING | pickle.BINBYTES:
                push(self.string(self.number(4)))
            case pickle.BINBYTES8:
                push(self.string(self.number(8)))
            case pickle.UNICODE:
                push(str(self.long_line(), "raw-unicode-escape"))
            case pickle.SHORT_BINUNICODE:
                push(str(self.take(self.number(1)), "utf-8"))
            case pickle.BINUNICODE:
                push(str(self.take(self.number(4)), "utf-8"))
            case pickle.EMPTY_TUPLE:
                push(())
            case pickle.TUPLE1:
                push(self.top(1))
            case pickle.TUPLE2:
                push(self.top(2))
            case pickle.TUPLE3:
                push(self.top(3))
            case pickle.TUPLE:
                push(tuple(self.since_mark()))
            case pickle.EMPTY_DICT:
                push({})
            case pickle.DICT:
                items = self.since_mark()
                push({})
                self.store(self.stack[-1], items)
            case pickle.SETITEM:
                items = list(self.top(2))
                self.store(self.stack[-1], items)
            case pickle.SETITEMS:
                items = self.since_mark()
                self.store(self.stack[-1], items)
            case pickle.PUT:
                self.memo[int(self.line())] = self.stack[-1]
            case pickle.BINPUT:
                self.memo[self.number(1)] = self.stack[-1]
            case pickle.LONG_BINPUT:
                self.memo[self.number(4)] = self.stack[-1]
            case pickle.MEMOIZE:
                self.memo[len(self.memo)] = self.stack[-1]
            case pickle.GET:
                push(self.memo[int(self.line())])
            case pickle.BINGET:
                push(self.memo[self.number(1)])
            case pickle.LONG_BINGET:
                push(self.memo[self.number(4)])
            case pickle.GLOBAL:
                push(self.named(self.line(), self.line()))
            case pickle.STACK_GLOBAL:
                push(self.named(*self.top(2)))
            case pickle.INST:
                raise self.refused(f"the pickle asks for '{self.line():.50}.{self.line():.50}'")
            case pickle.REDUCE:
                push(self.reduce(*self.top(2)))
            case pickle.BUILD:
                (state,) = self.top(1)
                self.build(self.stack[-1], state)
            case _:
                import pickletools

                for known in pickletools.opcodes:
                    if known.code.encode("latin-1") == opcode:
                        raise self.refused(f"not a pickle of arrays: instruction {known.name} at byte {at}")
                raise self.damaged(f"byte {at} is {opcode[0]:#04x}, no pickle instruction")


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _kind(value: Any) -> str:
    return type(value).__name__.lstrip("_").lower()
