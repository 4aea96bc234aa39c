"""Damage tried byte by byte: what is undamaged is not opened, split and hashed anew."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from consentkit.audit import tree
from consentkit.audit import verify
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.merkle import hash_leaf
from consentkit.log.tiles import decode_bundle

if TYPE_CHECKING:
    import pytest

__all__ = ["remember"]


def remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a verifier remember what it computed of the same bytes before."""
    monkeypatch.setattr(verify, "open_checkpoint", lru_cache(4)(open_checkpoint))
    monkeypatch.setattr(tree, "hash_leaf", lru_cache(maxsize=1024)(hash_leaf))
    monkeypatch.setattr(tree, "decode_bundle", lru_cache(maxsize=4)(decode_bundle))
