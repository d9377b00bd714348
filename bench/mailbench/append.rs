//! APPEND, with literals that wait, that do not, and many messages in one.
use crate::connection::R;
use crate::imap::Imap;
use crate::messages::{message, Run};
use crate::system::cpu_us;
use crate::workload::{jstr, ready, report, spawn, Args, Stats};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Instant;

/// What all connections share. `waits` is whether each literal waits for the server (RFC 7888).
struct Appending {
    args: Args,
    stats: Arc<Stats>,
    run: Run,
    mailbox: String,
    waits: bool,
    batch: u64, // messages in one command (RFC 3502)
    next: AtomicU64,
}

/// APPEND `total` messages by `conns` connections; `mode` is sync, plus or multi.
pub fn imapappend(a: &Args) -> bool {
    let (stats, mode) = (Stats::new(), a.s("mode", "sync"));
    let conns = a.n("conns", 1);
    let shared = Arc::new(Appending {
        args: a.clone(),
        stats: stats.clone(),
        run: Run::new(a, a.n("size", 4096) as usize, 7),
        mailbox: a.s("mailbox", "INBOX"),
        waits: mode == "sync",
        batch: if mode == "multi" { a.n("batch", 20) } else { 1 },
        next: AtomicU64::new(0),
    });
    let before = match shared.prepare().and_then(|_| shared.messages()) {
        Ok(number) => number,
        Err(error) => {
            println!("{{\"errors\":1,\"first_error\":{}}}", jstr(&error));
            return false;
        }
    };
    let barrier = Arc::new(Barrier::new(conns as usize + 1));
    let start = |number| {
        let (shared, barrier) = (shared.clone(), barrier.clone());
        spawn(move || shared.client(number, &barrier))
    };
    let threads: Vec<_> = (0..conns).map(start).collect();
    barrier.wait();
    ready(a, "");
    let (cpu, began) = (cpu_us(), Instant::now());
    barrier.wait();
    threads.into_iter().for_each(|one| drop(one.join()));
    let seconds = began.elapsed().as_secs_f64();
    shared.compare(before);
    report(&stats, seconds, cpu, "")
}

impl Appending {
    fn users(&self) -> std::ops::Range<u64> {
        let (first, all) = self.args.users();
        first..first + all.min(self.args.n("conns", 1))
    }

    fn login(&self, user: u64) -> R<Imap> {
        let mut imap = Imap::open(&self.args, 16384)?;
        imap.login(&self.args, user)?;
        Ok(imap)
    }

    /// Create the mailboxes.
    fn prepare(&self) -> R<()> {
        self.users().try_for_each(|user| {
            let mut imap = self.login(user)?;
            imap.run(format!("CREATE {}", self.mailbox).as_bytes(), false)?;
            imap.ok("LOGOUT").map(drop)
        })
    }

    /// Count what is in the mailboxes.
    fn messages(&self) -> R<u64> {
        self.users().try_fold(0, |sum, user| {
            let mut imap = self.login(user)?;
            let answer = imap.ok(&format!("STATUS {} (MESSAGES)", self.mailbox))?;
            imap.ok("LOGOUT")?;
            u64::try_from(answer.status_msgs).map(|one| sum + one).map_err(|_| "no STATUS".into())
        })
    }

    fn client(&self, number: u64, barrier: &Barrier) {
        let (first, all) = self.args.users();
        let imap = self.login(first + number % all);
        barrier.wait();
        barrier.wait();
        if let Err(error) = imap.and_then(|imap| self.append_all(imap)) {
            self.stats.err(error)
        }
    }

    fn append_all(&self, mut imap: Imap) -> R<()> {
        let (total, most) = (self.args.n("total", 500), self.args.f("maxs", 8.0));
        let (began, mut latencies) = (Instant::now(), vec![]);
        loop {
            let first = self.next.fetch_add(self.batch, SeqCst);
            if first >= total || began.elapsed().as_secs_f64() > most {
                break;
            }
            let last = total.min(first + self.batch);
            let then = Instant::now();
            let bytes = self.append(&mut imap, first..last)?;
            latencies.push(then.elapsed().as_micros() as u32);
            self.stats.done(last - first, bytes, vec![])
        }
        self.stats.done(0, 0, latencies);
        imap.ok("LOGOUT")?;
        imap.c.bye();
        Ok(())
    }

    /// Send one command with these messages; return their octets.
    fn append(&self, imap: &mut Imap, numbers: std::ops::Range<u64>) -> R<u64> {
        imap.tag += 1;
        let mut octets = 0;
        let mut waiting = format!("a{} APPEND {}", imap.tag, self.mailbox).into_bytes();
        for number in numbers {
            let size = self.args.n("size", 4096) as usize;
            let text = message(&self.run, number, size, "me@bench.test");
            let plus = if self.waits { "" } else { "+" };
            octets += text.len() as u64;
            waiting.extend(format!(" (\\Seen) {{{}{}}}\r\n", text.len(), plus).as_bytes());
            if self.waits {
                imap.c.send(&waiting)?;
                waiting.clear();
                imap.cont()?
            }
            waiting.extend(&text)
        }
        waiting.extend(b"\r\n");
        imap.c.send(&waiting)?;
        let answer = imap.finish(false)?;
        if !answer.is_ok() {
            return Err(format!("APPEND: {} {}", answer.status, answer.text));
        }
        Ok(octets)
    }

    /// The mailboxes must have grown by what was answered with OK.
    fn compare(&self, before: u64) {
        let appended = self.stats.ops.load(SeqCst);
        match self.messages() {
            Ok(now) if now == before + appended => {}
            Ok(now) => {
                self.stats.err(format!("appended {}, but {} became {}", appended, before, now))
            }
            Err(error) => self.stats.err(error),
        }
    }
}
