//! Whole sessions, one after another: logins by IMAP and POP3, and TLS handshakes alone.
use crate::connection::{Conn, R};
use crate::imap::Imap;
use crate::pop3::{pop_line, pop_open};
use crate::workload::{sessions, Args, Rng};

/// LOGIN, SELECT, LOGOUT of users by chance, whose mailboxes have at least `min_exists` messages.
pub fn imap(a: &Args) -> bool {
    sessions(a, |a, _, chance| {
        let mut imap = Imap::open(a, 8192)?;
        imap.login(a, a.pick(chance))?;
        let exists = imap.ok("SELECT INBOX")?.exists;
        if exists < a.n("min_exists", 0) as i64 {
            return Err(format!("only {} messages", exists));
        }
        imap.ok("LOGOUT")?;
        imap.c.bye();
        Ok(())
    })
}

/// USER, PASS, QUIT. A session locks its maildrop, so each connection keeps to users of its own.
pub fn pop3(a: &Args) -> bool {
    fn session(a: &Args, number: u64, chance: &mut Rng) -> R<()> {
        let (first, all) = a.users();
        let each = all / a.n("conns", 10);
        let mut c = pop_open(a, first + number * each + chance.below(each))?;
        c.send(b"QUIT\r\n")?;
        pop_line(&mut c)?;
        c.bye();
        Ok(())
    }
    sessions(a, session)
}

/// Connect with a full handshake, read the greeting, and go.
pub fn handshake(a: &Args) -> bool {
    sessions(a, |a, _, _| {
        let mut c = Conn::new(&a.addr(), true, 4096, 30)?;
        let greeting = c.line_str()?;
        if !["* OK", "220", "+OK"].iter().any(|one| greeting.starts_with(one)) {
            return Err(greeting);
        }
        c.bye();
        Ok(())
    })
}
