"""Every reader of bytes that others wrote: the table that both fuzzers walk."""

from __future__ import annotations

from .audit_targets import AUDIT_TARGETS
from .core_targets import CORE_TARGETS
from .log_targets import LOG_TARGETS

__all__ = ["TARGETS"]

TARGETS = {
    target.name: target for target in (*LOG_TARGETS, *CORE_TARGETS, *AUDIT_TARGETS)
}
