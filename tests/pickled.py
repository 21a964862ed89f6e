"""Pickles of classes that cannot be imported, read in processes with and without otel-agents."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_path

__all__ = ["read_with_us", "read_without_us"]

_TOYS = Path(__file__).parent / "toys"
_READ = """
    import base64, cloudpickle, sys
    value = cloudpickle.loads(base64.b64decode(sys.stdin.read()))
"""


def read_without_us(pickled: bytes, code: str) -> str:
    """Return what ``code`` prints, which has ``value``, if otel-agents cannot be imported."""
    check = """
    from importlib.util import find_spec
    assert find_spec("otel_agents") is None
    """
    # Without `site` there are none of the links by which a checkout is installed.
    return _run(pickled, ["-S"], textwrap.dedent(check + _READ), code)


def read_with_us(pickled: bytes, before: str, code: str) -> str:
    """Return what ``code`` prints, which has ``value``, after ``before``."""
    return _run(pickled, [], textwrap.dedent(before) + textwrap.dedent(_READ), code)


def _run(pickled: bytes, options: list[str], before: str, code: str) -> str:
    path = [get_path("purelib"), _folder_of("cloudpickle"), str(_TOYS)]
    ours = [] if options else [it for it in sys.path if it]
    ran = subprocess.run(
        [sys.executable, *options, "-c", f"{before}\n{textwrap.dedent(code)}"],
        input=base64.b64encode(pickled).decode(),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*ours, *path])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _folder_of(package: str) -> str:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parents[1])
