"""Redis is installed from the system's packages, or one line says why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "obtain.py"
APT_GET = """\
#!/bin/sh
echo "$3" >> "$FOLDER/steps"
case "$3" in
  update) : > "$FOLDER/list" ;;
  install) test -e "$FOLDER/list" && ln -s apt-get "$FOLDER/redis-server" ;;
esac
"""


def obtained(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script with only the programs of ``folder``."""
    return subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, "PATH": str(folder), "FOLDER": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_debian_packages_it_reports_what_is_missing(tmp_path: Path) -> None:
    done = obtained(tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "redis-server, which the tests of RQ run, is not obtained: "
        "this is no Debian: install Redis as this system does\n"
    )


def test_an_old_package_list_is_updated(tmp_path: Path) -> None:
    for name in ("ln", "sh", "test"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    (tmp_path / "apt-get").write_text(APT_GET)
    (tmp_path / "apt-get").chmod(0o755)
    done = obtained(tmp_path)
    if os.geteuid() != 0:
        assert "only root can: sudo apt-get install redis-server\n" in done.stderr
        pytest.skip("not root")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "steps").read_text().split() == ["install", "update", "install"]
    assert obtained(tmp_path).returncode == 0
    assert (tmp_path / "steps").read_text().split() == ["install", "update", "install"]
