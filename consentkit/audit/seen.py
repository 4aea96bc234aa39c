"""Very many keys in little memory, and nobody outside can make it slow.

Python's sets and dicts take 100 bytes and more for a key of 16, and one entry of a
log may bring three such keys. Here a key takes hardly more than its own bytes. What
is compared is the whole key, never a digest of it, so no entry can be blamed for
another one's. Where a key lies follows from a secret of this run; a log cannot be
written so that all of its keys collide.
"""

from __future__ import annotations

import os
from hashlib import blake2b

__all__ = ["KEY_SIZE", "Keys", "Mark", "Places"]

KEY_SIZE = 16

_ALL = (1 << 8 * KEY_SIZE) - 1
_FIRST_BITS = 8
# In a bucket, on average at most. Half as many have to be more than 512 bytes: what is
# smaller comes from Python's pools, which stay taken when buckets outgrow them.
_ROWS = 96
_NUMBER_SIZE = 4


class _Buckets:
    """Rows of a key and ``tail`` more bytes, in buckets that are searched in whole.

    A key is multiplied by a secret odd number, modulo 2^128: that is one to one, and
    whichever two keys are taken, their products begin with the same n bits at most
    twice in 2^n (Dietzfelbinger et al. 1997, multiply-shift). The first bits, as many
    as there is need for, say in which bucket a row lies. Whole bytes of them are left
    out of the row: its place tells them.
    """

    def __init__(self, tail: int) -> None:
        self._factor = int.from_bytes(os.urandom(KEY_SIZE), "big") | 1
        self._tail = tail
        self._count = 0
        self._buckets: list[bytes] = []
        self._use(_FIRST_BITS, [b""] * (1 << _FIRST_BITS))

    def __len__(self) -> int:
        return self._count

    def _use(self, bits: int, buckets: list[bytes]) -> None:
        """Go on with these buckets, one for everything that ``bits`` can say."""
        self._bits = bits
        self._buckets = buckets
        self._shift = 8 * KEY_SIZE - bits
        self._untold = bits // 8
        self._width = KEY_SIZE - self._untold + self._tail

    def _locate(self, key: bytes) -> tuple[int, bytes]:
        """The bucket of ``key``, and how its row there begins."""
        product = int.from_bytes(key, "big") * self._factor & _ALL
        return product >> self._shift, product.to_bytes(KEY_SIZE, "big")[self._untold :]

    def _search(self, bucket: int, begin: bytes) -> int:
        """Where in its bucket the row with that beginning is, below 0 for nowhere."""
        rows, width = self._buckets[bucket], self._width
        at = rows.find(begin)
        while at > 0 and at % width:  # what was found lies across two rows
            at = rows.find(begin, at + 1)
        return at

    def _append(self, bucket: int, row: bytes) -> None:
        self._buckets[bucket] += row
        self._count += 1
        if self._count > _ROWS * len(self._buckets):
            self._split()

    def _split(self) -> None:
        """Make two of each bucket, by one more bit: the first that rows differ in."""
        width, halves = self._width, list[bytes]()
        bit = 0x80 >> self._bits % 8  # the first that a row's place did not tell
        told = (self._bits + 1) // 8 - self._untold  # 1 if that byte is used up
        for bucket, rows in enumerate(self._buckets):
            self._buckets[bucket] = b""  # so both take no more memory than one
            each = [rows[at : at + width] for at in range(0, len(rows), width)]
            halves.append(b"".join(row[told:] for row in each if not row[0] & bit))
            halves.append(b"".join(row[told:] for row in each if row[0] & bit))
        self._use(self._bits + 1, halves)


class Keys(_Buckets):
    """A set of keys of 16 bytes."""

    def __init__(self) -> None:
        super().__init__(tail=0)

    def add(self, key: bytes) -> bool:
        """Take in a key, and say whether it is new."""
        bucket, row = self._locate(key)
        if self._search(bucket, row) >= 0:
            return False
        self._append(bucket, row)
        return True


class Places(_Buckets):
    """Numbers keys of 16 bytes, from 0, in the order in which they first come.

    Room for 2^32.
    """

    def __init__(self) -> None:
        super().__init__(tail=_NUMBER_SIZE)

    def place(self, key: bytes) -> int:
        """The number of ``key``, which is added if it is new."""
        bucket, begin = self._locate(key)
        at = self._search(bucket, begin)
        if at >= 0:
            return self._number(bucket, at)
        number = self._count
        self._append(bucket, begin + number.to_bytes(_NUMBER_SIZE, "big"))
        return number

    def find(self, key: bytes) -> int | None:
        """The number of ``key``, None if it never came."""
        bucket, begin = self._locate(key)
        at = self._search(bucket, begin)
        return self._number(bucket, at) if at >= 0 else None

    def _number(self, bucket: int, at: int) -> int:
        end = at + self._width
        return int.from_bytes(self._buckets[bucket][end - _NUMBER_SIZE : end], "big")


class Mark:
    """Short stand-ins for longer values, which nobody can foresee.

    They hold for the one run that made them.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(KEY_SIZE)
        self._keyed = blake2b(key=self._secret, digest_size=KEY_SIZE)

    def key(self, value: bytes) -> bytes:
        """A key for ``Places``: 128 bits, as hard to make alike as any hash is."""
        keyed = self._keyed.copy()
        keyed.update(value)
        return keyed.digest()

    def number(self, value: bytes) -> int:
        """64 bits, signed: of other values they are other ones.

        Once in 2^64 they are not; so this is for values that are expected to be the
        same, where what slips through is one forgery in as many, and nobody is blamed.
        """
        return hash(self._secret + value)
