"""A built wheel and an editable install both bring the twistd command and leave Twisted's own alone."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.testing.examples import write_examples

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parents[2]
SOURCES = ("pyproject.toml", "README.md", "ARCHITECTURE.md", "LICENSE", "run.py")


def run(*command: str | Path, folder: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean copy of what git knows, with a dropin.cache lying about."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        (folder / name).write_bytes((ROOT / name).read_bytes())
    for package in ("twisted_mail", "twisted", "etc", "docs"):
        for file in (ROOT / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                copy = folder / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
    (folder / "twisted" / "plugins" / "dropin.cache").write_bytes(b"stale")
    return folder


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(
        *(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder),
        folder=source,
    )
    [path] = folder.glob("*.whl")
    return path


def environment(folder: Path) -> Path:
    """An environment that sees our dependencies but not our own installation."""
    venv.EnvBuilder(with_pip=False).create(folder)
    [site] = (folder / "lib").glob("python*/site-packages")
    [ours] = {Path(path) for path in sys.path if path.endswith("site-packages")}
    for entry in ours.iterdir():
        if not entry.name.startswith(("twisted_mail", "_twisted_mail", "_editable", "twisted")):
            (site / entry.name).symlink_to(entry)
    copy_tree(ours / "twisted", site / "twisted")
    (site / "twisted" / "plugins" / "dropin.cache").unlink(missing_ok=True)
    [info] = ours.glob("[Tt]wisted-*.dist-info")
    (site / info.name).symlink_to(info)
    return folder / "bin" / "python"


def copy_tree(source: Path, target: Path) -> None:
    for file in source.rglob("*"):
        if file.is_file() and "test" not in file.parts and "__pycache__" not in file.parts:
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(file)


def commands(python: Path, folder: Path) -> list[str]:
    said = run(python, "-m", "twisted", "--help", folder=folder)
    return [
        line.split()[0] for line in said.splitlines() if line.startswith("    ") and line.split()
    ]


def test_the_wheel_has_the_plugin_and_no_cache(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "twisted/plugins/mailserver.py" in names
    assert "twisted_mail/service.py" in names
    assert "twisted_mail/py.typed" in names
    assert not [name for name in names if name.endswith("dropin.cache")]
    assert "twisted_mail/etc/mail.toml" in names
    assert "twisted_mail/queue/reports/templates/sentences.toml" in names
    assert "twisted_mail/etc/twisted-mail.service" in names
    assert [name for name in names if name.endswith("share/doc/twisted-mail/docs/store.md")]
    assert "twisted/plugins/__init__.py" not in names
    assert "twisted/plugins/twisted_mail.py" not in names


def test_an_installed_wheel_brings_the_command(wheel: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"),
        wheel,
        folder=tmp_path,
    )
    found = commands(python, tmp_path)
    assert "mailserver" in found
    assert "mail" in found
    shown = run(python.parent / "twisted-mail", "config", "example", folder=tmp_path)
    assert shown == (ROOT / "etc" / "mail.toml").read_text()


def test_an_editable_install_brings_the_command(source: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"),
        *("--no-build-isolation", "--editable", source),
        folder=tmp_path,
    )
    for folder in (tmp_path, source):
        found = commands(python, folder)
        assert "mailserver" in found
        assert "mail" in found


def test_the_examples_for_tests_run_with_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / "env")
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"),
        wheel,
        folder=tmp_path,
    )
    project = tmp_path / "project"
    project.mkdir()
    write_examples(project)
    where = run(python, "-c", "import twisted_mail; print(twisted_mail.__file__)", folder=project)
    assert where.startswith(str(tmp_path))
    said = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder=project)
    assert "13 passed" in said
