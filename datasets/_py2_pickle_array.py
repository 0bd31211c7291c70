"""`Array`: an array in a pickle, whose values stay in the file until they are asked for."""

from __future__ import annotations

import codecs
import math
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from bench.recordings import DataError

__all__ = ["BLOCK", "Array", "Span"]

BLOCK = 1 << 20  # bytes of a file that are looked at together


class Span(NamedTuple):
    """Where a long string lies in the file, as its bytes or, of protocol 0, as the inside of a literal."""

    start: int
    n_bytes: int
    literal: bool = False


class Array:
    """An array whose values may still be in the file.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy dtype
    fortran : bool
        Whether the first axis varies fastest.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.set((), np.dtype(np.uint8), False, b"\0")

    def set(
        self, shape: tuple[int, ...], dtype: np.dtype, fortran: bool, payload: Span | bytes | str
    ) -> None:
        """Set what the array consists of; a str stands for its Latin-1 bytes."""
        self.shape, self.dtype, self.fortran, self._payload = shape, dtype, fortran, payload

    def read(self) -> np.ndarray:
        """Return the whole array, read-only.

        Raises
        ------
        DataError
            If the file ends before it, or it is not made of bytes.
        """
        return self._flat(0, math.prod(self.shape)).reshape(self.shape, order="F" if self.fortran else "C")

    def rows(self, columns: slice) -> Iterator[np.ndarray]:
        """Yield ``array[i, columns]`` for each i; of an array in C order only that much is read.

        Parameters
        ----------
        columns : slice
            With start and stop, step 1.

        Raises
        ------
        DataError
            As `read`.
        """
        if self.fortran or (isinstance(self._payload, Span) and self._payload.literal):
            yield from self.read()[:, columns]
            return
        n_rows, n_columns, *rest = self.shape
        width = math.prod(rest)
        n_chosen = columns.stop - columns.start
        for i in range(n_rows):
            flat = self._flat((i * n_columns + columns.start) * width, n_chosen * width)
            yield flat.reshape(n_chosen, *rest)

    def _flat(self, start: int, n_items: int) -> np.ndarray:
        first, n_bytes = start * self.dtype.itemsize, n_items * self.dtype.itemsize
        if isinstance(self._payload, Span) and self._payload.literal:
            raw = self._unquoted(self._payload)[first : first + n_bytes]
        elif isinstance(self._payload, Span):
            self._file.seek(self._payload.start + first)
            raw = self._file.read(n_bytes)
        else:
            part = self._payload[first : first + n_bytes]
            try:
                raw = part.encode("latin-1") if isinstance(part, str) else part
            except UnicodeEncodeError as error:
                raise DataError(f"{self._file.name}: text where the bytes of an array should be") from error
        if len(raw) != n_bytes:
            raise DataError(f"{self._file.name}: truncated while it was being read")
        return np.frombuffer(raw, self.dtype)

    def _unquoted(self, literal: Span) -> bytes:
        """Return the bytes that a literal stands for, which takes their size and a block of the file."""
        n_bytes = math.prod(self.shape) * self.dtype.itemsize
        found = bytearray()
        self._file.seek(literal.start)
        left, rest = literal.n_bytes, b""
        while left and len(found) <= n_bytes:
            block = self._file.read(min(left, BLOCK))
            if not block:
                break
            left -= len(block)
            try:
                part, rest = _unescaped(rest + block)
            except ValueError:
                break
            found += part
        if left or rest or len(found) != n_bytes:
            raise DataError(
                f"{self._file.name}: truncated or not a pickle of arrays: an array of shape {self.shape} and type "
                f"{self.dtype.str} whose bytes are not as many"
            )
        return bytes(found)


def _unescaped(text: bytes) -> tuple[bytes, bytes]:
    """Return the bytes that a part of a literal stands for, and what of it belongs to the next part."""
    for n_open in range(3):  # an escape is of four characters at most
        try:
            end = len(text) - n_open
            return codecs.escape_decode(memoryview(text)[:end])[0], text[end:]
        except ValueError:
            continue
    end = len(text) - 3
    return codecs.escape_decode(memoryview(text)[:end])[0], text[end:]
