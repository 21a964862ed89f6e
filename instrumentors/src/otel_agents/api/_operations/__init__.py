"""The operations behind the blocks: those of the instrumentors, started for the application."""

from .starts import block_start, call_start

__all__ = ["block_start", "call_start"]
