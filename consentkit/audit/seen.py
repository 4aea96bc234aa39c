"""Very many keys in little memory, and nobody outside can make it slow.

Python's sets and dicts take 100 bytes and more for a key of 16, and one entry of a
log may bring three such keys. Here a key takes its 16 bytes and 5 to 8 for the index.
What is compared is the whole key, never a digest of it, so no entry can be blamed for
another one's. Where a key lies follows from a hash with a secret of this run; a log
cannot be written so that all of its keys collide.
"""

from __future__ import annotations

import os
from array import array
from hashlib import blake2b

__all__ = ["KEY_SIZE", "Mark", "Places"]

KEY_SIZE = 16

_FIRST_SLOTS = 1_021


class Places:
    """Numbers keys of 16 bytes, from 0, in the order in which they first come.

    An open-addressing table of numbers, and the keys in one row. Room for 2^32 - 1.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(KEY_SIZE)
        self._keys = bytearray()
        self._slots = array("I", [0]) * _FIRST_SLOTS  # a number + 1, 0 for none
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def place(self, key: bytes) -> int:
        """The number of ``key``, which is added if it is new."""
        slot = self._slot(key)
        number = self._slots[slot]
        if number:
            return number - 1
        self._keys += key
        self._count += 1
        self._slots[slot] = self._count
        if 4 * self._count > 3 * len(self._slots):
            self._grow()
        return self._count - 1

    def add(self, key: bytes) -> bool:
        """Take in a key, and say whether it is new."""
        before = self._count
        return self.place(key) == before

    def find(self, key: bytes) -> int | None:
        """The number of ``key``, None if it never came."""
        number = self._slots[self._slot(key)]
        return number - 1 if number else None

    def _slot(self, key: bytes) -> int:
        """Where the number of ``key`` is, or where it belongs."""
        slots, keys = self._slots, self._keys
        size = len(slots)
        slot = hash(self._secret + key) % size
        while number := slots[slot]:
            end = number * KEY_SIZE
            if keys[end - KEY_SIZE : end] == key:
                break
            slot = (slot + 1) % size
        return slot

    def _grow(self) -> None:
        """Half as many slots more; the keys stay where they are."""
        size = len(self._slots) * 3 // 2
        self._slots = slots = array("I", [0]) * size
        keys, secret = self._keys, self._secret
        for number in range(1, self._count + 1):
            end = number * KEY_SIZE
            slot = hash(secret + keys[end - KEY_SIZE : end]) % size
            while slots[slot]:
                slot = (slot + 1) % size
            slots[slot] = number


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
