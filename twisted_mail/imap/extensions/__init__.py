"""The extensions of IMAP: a file for each, with one value ``EXTENSION`` that ``table`` finds.

``extension`` is what such a value is; ``base`` is RFC 3501 as such a value, with what is built into
framing and grammar. A plugin brings further ones (``twisted_mail.plugin.IImapExtension``).
"""
