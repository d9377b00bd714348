"""Plugins of the mail server: our own, and the place for other people's.

``twisted.plugin`` looks for modules in every folder ``twisted_mail/plugins`` on the module
search path, so a plugin package ships a file there and no ``__init__.py`` of its own.
"""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))  # type: ignore[no-untyped-call]
__all__: list[str] = []
