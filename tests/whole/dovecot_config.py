"""What a Dovecot that serves one maildir is told, in the words of the version that is installed.

What a Debian package sets for maildirs, and what a test needs beside that: a folder, ports and users of
its own. From version 2.4 on the file begins with the version it is written for, and several settings have
other names.
"""

import re
import subprocess

_COMMON = """\
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = {instance}
log_path = {folder}/dovecot.log
listen = 127.0.0.1
protocols = imap pop3
ssl = no
auth_mechanisms = plain
default_login_user = {login_user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 0
first_valid_gid = 0
mail_uid = {mail_user}
mail_gid = {mail_group}
mail_max_userip_connections = 100
auth_failure_delay = 0
namespace inbox {{
  inbox = yes
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service imap-login {{
  chroot = {chroot}
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot = {chroot}
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""
_UNTIL_2_3 = """\
disable_plaintext_auth = no
mail_location = maildir:{maildir}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = home={folder}/home
}}
"""
_VERSIONS = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
_SINCE_2_4 = """\
auth_allow_cleartext = yes
mail_driver = maildir
mail_path = {maildir}
passdb static {{
  fields {{
    nopassword = yes
  }}
}}
userdb static {{
  fields {{
    home = {folder}/home
  }}
}}
"""


def dovecot_version(program: str) -> tuple[int, int]:
    """Return the first two numbers of what ``dovecot --version`` prints."""
    said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    match = re.match(r"(\d+)\.(\d+)", said.stdout)
    assert match, said.stdout
    return int(match[1]), int(match[2])


def dovecot_config(version: tuple[int, int]) -> str:
    """Return a template of dovecot.conf; its fields are those that ``peers.Dovecot`` fills in."""
    if version < (2, 4):
        return _COMMON + _UNTIL_2_3
    return _VERSIONS + _COMMON + _SINCE_2_4
