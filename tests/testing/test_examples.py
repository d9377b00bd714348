"""The examples of docs/testing.md run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

from tests.testing.examples import write_examples

PLUGIN = "twisted_mail.testing.pytest_plugin"


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_all_examples_pass_with_pytest(tmp_path: Path) -> None:
    names = write_examples(tmp_path)
    assert {"test_welcome.py", "test_inbox.py", "test_shop.py", "test_twisted.py"} <= set(names)
    said = run(tmp_path, "-m", "pytest", "-q", "-p", PLUGIN, "-p", "no:cacheprovider")
    assert "13 passed" in said


def test_the_example_for_unittest_needs_no_pytest(tmp_path: Path) -> None:
    write_examples(tmp_path)
    code = """
import runpy, sys
sys.modules.update(dict.fromkeys(["pytest", "hypothesis", "flask"]))  # cannot be imported
runpy.run_path("test_inbox.py", run_name="__main__")
"""
    assert "OK" in run(tmp_path, "-c", code)


def test_the_example_for_twisted_passes_with_trial(tmp_path: Path) -> None:
    write_examples(tmp_path)
    assert "PASSED" in run(tmp_path, "-m", "twisted.trial", "test_twisted")
