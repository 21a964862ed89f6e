"""How code of ours gets into a framework, and out again."""
