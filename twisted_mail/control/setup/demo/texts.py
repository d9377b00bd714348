"""What the demonstration writes and prints."""

CONFIG = """\
# The configuration of the demonstration. Copy it for a server of your own: etc/mail.toml in the
# source explains every option.

hostname = "{hostname}"
state = "state"                              # mail, accounts: everything that is kept
domains = ["{domain}"]                    # mail for these stays here

[tls]
folder = "tls"                               # in state: *.pem files, each a key and its certificates

[addresses]
postmaster = "{postmaster}"             # mail for the postmaster of each domain

[dns]
servers = ["127.0.0.1:{dns}"]                # the demonstration's own: it knows two domains

[sending]                                    # mail for all other domains
port = 2525                                  # 25 everywhere else
allows_private = ["127.0.0.0/8"]             # nobody is sent mail on loopback but here

[queue]
retries = [10, 20, 30, 60]                   # in seconds; without this line 5 minutes, and then longer

[[listener]]                                 # mail from other servers (port 25)
service = "smtp"
endpoint = "tcp:2525:interface={address}"

[[listener]]                                 # mail from our users (port 587)
service = "submission"
endpoint = "tcp:{submission}:interface=127.0.0.1"

[[listener]]                                 # the same, TLS from the first byte (port 465)
service = "submission"
endpoint = "tcp:{submissions}:interface=127.0.0.1"
tls = "implicit"

[[listener]]
service = "pop3"
endpoint = "tcp:{pop3}:interface=127.0.0.1"

[[listener]]
service = "pop3"
endpoint = "tcp:{pop3s}:interface=127.0.0.1"
tls = "implicit"

[[listener]]
service = "imap"
endpoint = "tcp:{imap}:interface=127.0.0.1"

[[listener]]
service = "imap"
endpoint = "tcp:{imaps}:interface=127.0.0.1"
tls = "implicit"
"""
HELLO = """\
From: Alice <alice@example.org>
To: Bob <bob@example.org>
Subject: Hello
Message-ID: <hello@example.org>

Do you like ketchup?
How about pickles?
"""
LETTER = """\
From: Alice <alice@example.org>
To: Carol <carol@example.net>
Subject: From one server to another
Message-ID: <letter@example.org>

This letter went by the MX of your domain.
"""
INVITATION = """\
Two mail servers start, with everything in {folder}:
{hostname} here, mail.example.net in a process of its own, and a small DNS that both ask.

  alice@example.org   {alice}
  bob@example.org     {bob}
  carol@example.net   {carol}

Alice sends Bob a first message:

  curl --ssl-reqd --cacert {ca} --user alice@example.org:{alice} \\
       --mail-from alice@example.org --mail-rcpt bob@example.org \\
       --upload-file {hello} smtp://localhost:5870

Bob reads it, by IMAP and by POP3:

  curl --cacert {ca} --user bob@example.org:{bob} 'imaps://localhost:9930/INBOX;MAILINDEX=1'

  curl --cacert {ca} --user bob@example.org:{bob} pop3s://localhost:9950/1

Alice writes to Carol, whose mail is on the other server, and Carol reads it there:

  swaks --server localhost:5870 --tls --tls-verify --tls-ca-path {ca} \\
        --auth PLAIN --auth-user alice@example.org --auth-password {alice} \\
        --from alice@example.org --to carol@example.net --data @{letter}

  curl --cacert {other_ca} --user carol@example.net:{carol} \\
       'imaps://localhost:9931/INBOX;MAILINDEX=1'

Stop the other server, and Alice's next letter waits; the queue says why:

  kill $(cat {other}/twistd.pid)

  {control} --config {config} queue

  {control} --config {config} queue list

Start it again, and the letter arrives within a minute, or at once:

  {twistd} --pidfile={other}/twistd.pid --logfile={other}/log \\
           mailserver --config {other}/mail.toml

  {control} --config {config} queue retry --all

A letter to nobody@example.net comes back to Alice as a report, which mutt shows as her mail program would:

  mutt -f imaps://alice%40example.org:{alice}@localhost:9930/INBOX

Look after it while it runs:

  {control} --config {config} check

Talk to it by hand (a LOGIN alice@example.org {alice}):

  openssl s_client -quiet -crlf -CAfile {ca} -connect localhost:9930

Ports: SMTP 2525, submission 5870 and 4650 (TLS), POP3 1100 and 9950 (TLS), IMAP 1430 and 9930 (TLS);
of the other server each is one more but SMTP, which is 2525 at 127.0.0.2.
Press Ctrl-C to stop both.
"""
