"""Work on all mailboxes of an account, of which one cannot stop the others."""

from collections.abc import Callable
from typing import TypeVar

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unusable import FolderUnusable

T = TypeVar("T")


def unless_unusable(tree: Tree, folder: Folder, act: Callable[[], T]) -> T | None:
    """Do something with one of several mailboxes; return None for one that is just being deleted.

    None, too, for one whose folder cannot be used. When that shows here, FolderUnusable is raised: what
    was begun with it is taken back with all the rest, and ``perform`` does the work again, without it.
    """
    if folder.folder in tree.unusable:
        return None
    try:
        return act()
    except Refused:
        return None
    except OSError as error:
        folder.note_fault(folder.path, error)
        tree.unusable.add(folder.folder, error)
        raise FolderUnusable from error
