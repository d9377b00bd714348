from collections import Counter

from tests.contracts.account import AccountContract


def test_no_part_of_the_contract_hides_another():
    parts = [vars(part) for part in AccountContract.__mro__]
    counts = Counter(name for part in parts for name in part if name.startswith("test_"))
    assert [name for name, count in counts.items() if count > 1] == []
