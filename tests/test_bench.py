"""What must stay as it is so that figures of different days can be compared."""

import hashlib
import re
from pathlib import Path

from bench.compare import report
from bench.compare.rows.table import GROUPS
from bench.corpus.writer import write

ROOT = Path(__file__).parent.parent
CORPUS = "426bfb51db91"  # the beginning of the digest of the first forty messages


def test_the_corpus_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    write(tmp_path / "lf", 40)
    write(tmp_path / "crlf", 40, eol="crlf")
    names = [f"{number:05d}.eml" for number in range(40)]
    octets = b"".join((tmp_path / "lf" / name).read_bytes() for name in names)
    others = b"".join((tmp_path / "crlf" / name).read_bytes() for name in names)
    assert hashlib.sha256(octets).hexdigest().startswith(CORPUS)
    assert others == octets.replace(b"\n", b"\r\n")


def test_the_page_explains_every_group_of_rows() -> None:
    text = (ROOT / "docs" / "performance.md").read_text()
    rows = re.findall(r"^\| ([SIPTXM]\w+(?:, \w+)*) \|", text, re.MULTILINE)
    assert {name for row in rows for name in row.split(", ")} == set(GROUPS)


def test_a_ratio_above_one_is_always_good() -> None:
    rate = [{"ops": 9, "ops_s": 4.0}], [{"ops": 9, "ops_s": 2.0}]
    time = [{"ops": 1, "ops_s": 9.0, "secs": 2.0}], [{"ops": 1, "ops_s": 1.0, "secs": 4.0}]
    latency = (
        [{"ops": 9, "ops_s": 1.0, "figure": "p50_us", "p50_us": 3.0}],
        [{"ops": 9, "ops_s": 1.0, "figure": "p50_us", "p50_us": 6.0}],
    )
    size = [{"value": 5.0}], [{"value": 10.0}]
    assert [report.better(*pair) for pair in (rate, time, latency, size)] == [2.0] * 4


def test_a_wrong_answer_has_no_ratio_and_says_why() -> None:
    failed = [{"fail": "fetch is 9, wanted 10"}]
    assert report.better(failed, [{"ops": 9, "ops_s": 2.0}]) is None
    assert report.figure(failed) == "FAIL: fetch is 9, wanted 10"
