"""Write a dict of arrays as Python 2 pickled it, opcode by opcode (they are documented in `pickletools`)."""

from __future__ import annotations

import pickle
from typing import BinaryIO

import numpy as np

__all__ = ["write_pickle"]


def write_pickle(file: BinaryIO, arrays: dict[str, np.ndarray], **flags: bool) -> None:
    """Write arrays, in the given order, as Python 2's cPickle with numpy writes a dict of them at protocol 2.

    Parameters
    ----------
    file : binary file
        Open for writing.
    arrays : dict of str to ndarray
        At least two axes, at most three; stored as float64. Converted and written one index of the first axis
        at a time, so that nothing is copied whole.
    **flags : bool
        Further entries of the dict, after the arrays.
    """
    n_memo = 0

    def memo() -> bytes:
        nonlocal n_memo
        n_memo += 1
        return pickle.BINPUT + bytes([n_memo])

    def short(text: str) -> bytes:
        return pickle.SHORT_BINSTRING + bytes([len(text)]) + text.encode("ascii")

    file.write(pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + memo() + pickle.MARK)
    for i, (key, array) in enumerate(arrays.items()):
        file.write(short(key) + memo())
        if i == 0:  # what is named once is fetched from the memo by all later arrays
            file.write(b"cnumpy.core.multiarray\n_reconstruct\n" + memo() + b"cnumpy\nndarray\n" + memo())
        else:
            file.write(b"h\x03h\x04")
        file.write(b"K\x00\x85U\x01b\x87R" + memo() + b"(K\x01")
        for n in array.shape:
            opcode, width = (pickle.BININT1, 1) if n < 256 else (pickle.BININT2, 2)
            file.write(opcode + n.to_bytes(width, "little"))
        file.write(pickle.TUPLE2 if array.ndim == 2 else pickle.TUPLE3)
        if i == 0:
            file.write(b"cnumpy\ndtype\n" + memo() + b"U\x02f8K\x00K\x01\x87R" + memo())
            file.write(b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
        else:
            file.write(b"h\x07")
        file.write(pickle.NEWFALSE + pickle.BINSTRING + (8 * array.size).to_bytes(4, "little"))
        for row in array:
            file.write(np.ascontiguousarray(row, "<f8").data)
        file.write(b"tb")
    for key, flag in flags.items():
        file.write(short(key) + memo() + (pickle.NEWTRUE if flag else pickle.NEWFALSE))
    file.write(pickle.SETITEMS + pickle.STOP)
