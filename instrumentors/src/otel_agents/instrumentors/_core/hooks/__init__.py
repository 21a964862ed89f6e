"""Application code that sees content."""
