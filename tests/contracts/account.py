"""The contract of the Store, Account and Mailbox doors: every store passes it.

    class TestMyStore(AccountContract):
        keyword_limit = 26

        @pytest.fixture
        def make_store(self, tmp_path, clock, render):
            numbers = itertools.count()
            return lambda quota=None: MyStore(tmp_path / str(next(numbers)), clock, render, quota)

``ground.Ground`` says what else a subclass may define.
"""

from tests.contracts.appending import AppendContract
from tests.contracts.deleting import DeleteContract
from tests.contracts.filing import FilingContract
from tests.contracts.identity import IdentityContract
from tests.contracts.maildrop import MaildropContract
from tests.contracts.marks import ConditionContract, KeywordContract, MarkContract
from tests.contracts.meanwhile import MeanwhileContract
from tests.contracts.moves import CopyContract, ExpungeContract, MoveContract
from tests.contracts.names import MadeContract
from tests.contracts.reading import ReadContract, StatusContract
from tests.contracts.renaming import RenameContract
from tests.contracts.restart import RestartContract
from tests.contracts.subscribing import SubscribeContract
from tests.contracts.threads import ThreadContract


class AccountContract(
    MadeContract,
    DeleteContract,
    RenameContract,
    SubscribeContract,
    AppendContract,
    FilingContract,
    ReadContract,
    StatusContract,
    MarkContract,
    ConditionContract,
    KeywordContract,
    CopyContract,
    MoveContract,
    ExpungeContract,
    IdentityContract,
    ThreadContract,
    RestartContract,
    MaildropContract,
    MeanwhileContract,
):
    """Everything that ``interfaces`` promises of stores."""
