"""One mutant against tests, in a process forked from one that has imported everything but the server.

The mutated module is compiled in memory: no file of the tree is altered.
"""

import ast
import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings

PASSED, KILLED, TIMED_OUT, BROKEN = "passed", "killed", "timed out", "broken"

# Without PYTEST_DISABLE_PLUGIN_AUTOLOAD pytest finds the modules of the package before Mutation can.
_PLUGINS = ["-p", "_hypothesis_pytestplugin", "-p", "twisted_mail.testing.pytest_plugin"]
_OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", *_PLUGINS, "--hypothesis-profile=mutants"]
_MEMORY = 3 * 2**30

# Every failure counts, however long its example: nothing is shrunk or kept.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


class Mutation(importlib.abc.MetaPathFinder):
    """Finds one module with its fault in it."""

    def __init__(self, module: str, path: Path, tree: ast.Module) -> None:
        self._module = module
        self._path = path
        self._tree = tree
        self.was_found = False

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the module, if it is the one."""
        if name != self._module:
            return None
        self.was_found = True
        loader = _Loader(name, str(self._path), compile(self._tree, str(self._path), "exec"))
        return importlib.util.spec_from_file_location(name, self._path, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class _Chosen:
    """A plugin of pytest that runs the chosen tests alone, in their order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = (i for i in items if i.nodeid in self._order)
        items[:] = sorted(chosen, key=lambda i: self._order[i.nodeid])


def trial(mutation: Mutation | None, tests: Sequence[str], seconds: float) -> str:
    """Run the tests until one fails; at most these seconds of processor, and six times as long in all.

    BROKEN means that the tests never imported the module, or that none of them was found.
    """
    child = os.fork()
    if child == 0:
        _run(mutation, tests, seconds)
    end = time.monotonic() + 6 * seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return _verdict(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMED_OUT


def _run(mutation: Mutation | None, tests: Sequence[str], seconds: float) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    code: int = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        if mutation is not None:
            sys.meta_path.insert(0, mutation)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        files = list(dict.fromkeys(test.split("::")[0] for test in tests))
        code = pytest.main([*_OPTIONS, *files], plugins=[_Chosen(tests)])
        if code == 0 and mutation is not None and not mutation.was_found:
            code = 5
    finally:
        os._exit(code)


def _verdict(status: int) -> str:
    if os.WIFSIGNALED(status):
        return TIMED_OUT if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else KILLED
    return {0: PASSED, 5: BROKEN}.get(os.WEXITSTATUS(status), KILLED)


_LARGE = """
    OpenSSL.SSL _pytest.junitxml _pytest.pastebin apsw argon2 asyncio cattrs
    cryptography.hazmat.primitives.asymmetric.ec cryptography.x509 dns.message email.message email.policy
    encodings.idna html.parser hypothesis.extra._patching hypothesis.strategies idna sqlite3
    twisted.internet.defer twisted.internet.task twisted.internet.testing twisted.python.failure
    unittest.mock xml.etree.ElementTree zope.interface
"""


def import_the_large() -> None:
    """Import what the tests need and no mutant alters, so that a fork has it."""
    for name in _LARGE.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    modules = [m for m in sys.modules if m.startswith(("twisted_mail", "twisted.internet.reactor"))]
    if modules:
        raise SystemExit(f"Imported too early: {modules}")
