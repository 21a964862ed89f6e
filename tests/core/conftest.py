"""What several modules here need."""

from __future__ import annotations

from lazy_packages import apply, packages, said

__all__ = ["apply", "packages", "said"]
