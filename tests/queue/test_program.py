import pytest

from twisted_mail.queue.program import Program, outcome_of_exit_code


@pytest.mark.parametrize("code", [71, 74, 75, 78])
def test_what_may_pass_is_tried_again(code: int) -> None:
    ended = outcome_of_exit_code(code)
    assert ended.is_temporary
    assert ended.enhanced.startswith("4.")


@pytest.mark.parametrize("code", [64, 65, 67, 69, 70, 73, 77, 1, 126, 127, 255])
def test_the_rest_is_for_good(code: int) -> None:
    ended = outcome_of_exit_code(code)
    assert ended.code >= 500
    assert ended.enhanced.startswith("5.")


def test_nought_is_success() -> None:
    assert outcome_of_exit_code(0).is_success


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a b"},
        {"name": ""},
        {"name": "a@b"},
        {"command": ()},
        {"command": ("ticket",)},
        {"command": ("/bin/x", "a\0b")},
        {"command": ("/bin/x",) * 101},
        {"folder": "tmp"},
        {"seconds": 0.0},
        {"max_running": 0},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|has at most"):
        Program(**({"name": "ticket", "command": ("/bin/ticket",)} | wrong))  # type: ignore[arg-type]
