"""Very many keys in little memory, and nobody outside can make it slow.

Python's sets and dicts take 100 bytes and more for a key of 16, and one entry of a
log may bring three such keys. Here a key takes its 16 bytes and 5 to 11 for the index.
What is compared is the whole key, never a digest of it, so no entry can be blamed for
another one's. Where a key lies follows from a hash with a secret of this run; a log
cannot be written so that all of its keys collide.
"""

from __future__ import annotations

import os
from array import array
from hashlib import blake2b
from struct import Struct

__all__ = ["KEY_SIZE", "Mark", "Places"]

KEY_SIZE = 16

_FIRST_SLOTS = 1_381  # a million keys fill 2^10 times as many just well
_SLOT_BITS = 2**32 - 1
_ROW = Struct(f"{KEY_SIZE}s")


class Places:
    """Numbers keys of 16 bytes, from 0, in the order in which they first come.

    An open-addressing table of numbers, and the keys in one row. Room for 2^32 - 1.
    The bits of a slot that no number needs yet hold some of its key's hash: most
    slots that belong to others are passed by without a look at their keys.
    """

    def __init__(self) -> None:
        self._secret = os.urandom(KEY_SIZE)
        self._keys = bytearray()
        self._count = 0
        self._make_slots(_FIRST_SLOTS)

    def __len__(self) -> int:
        return self._count

    def place(self, key: bytes) -> int:
        """The number of ``key``, which is added if it is new."""
        hashed = hash(self._secret + key)
        slot = self._slot(hashed, key)
        held = self._slots[slot]
        if held:
            return (held & self._low) - 1
        self._keys += key
        self._count = count = self._count + 1
        self._slots[slot] = hashed & self._high | count
        if count == self._most:
            self._grow()
        return count - 1

    def add(self, key: bytes) -> bool:
        """Take in a key, and say whether it is new."""
        before = self._count
        return self.place(key) == before

    def find(self, key: bytes) -> int | None:
        """The number of ``key``, None if it never came."""
        held = self._slots[self._slot(hash(self._secret + key), key)]
        return (held & self._low) - 1 if held else None

    def _slot(self, hashed: int, key: bytes) -> int:
        """Where the number of ``key`` is, or where it belongs."""
        slots, high = self._slots, self._high
        size = len(slots)
        slot = hashed % size
        while held := slots[slot]:
            if not (held ^ hashed) & high:
                end = (held & self._low) * KEY_SIZE
                if self._keys[end - KEY_SIZE : end] == key:
                    break
            slot = (slot + 1) % size
        return slot

    def _make_slots(self, size: int) -> None:
        """Empty ones, three quarters of which may be taken."""
        self._slots = array("I", [0]) * size  # a number + 1, 0 for none
        self._most = size * 3 // 4
        self._low = (1 << self._most.bit_length()) - 1
        self._high = _SLOT_BITS & ~self._low

    def _grow(self) -> None:
        """Twice as many slots; the keys stay where they are."""
        size = len(self._slots) * 2
        self._make_slots(size)
        slots, secret, high = self._slots, self._secret, self._high
        for number, (key,) in enumerate(_ROW.iter_unpack(self._keys), start=1):
            hashed = hash(secret + key)
            slot = hashed % size
            while slots[slot]:
                slot = (slot + 1) % size
            slots[slot] = hashed & high | number


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
