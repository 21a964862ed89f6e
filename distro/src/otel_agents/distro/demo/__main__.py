"""``python -m otel_agents.distro.demo`` is ``otel-agents demo``."""

from __future__ import annotations

import argparse
import sys

from otel_agents.distro.demo import add_arguments, run

parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(run(parser.parse_args().model))
