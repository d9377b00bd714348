//! One IMAP command again and again, by many connections that have logged in before.
use crate::connection::R;
use crate::imap::Imap;
use crate::system::cpu_us;
use crate::workload::{ready, report, spawn, Args, Rng, Stats};
use std::sync::{Arc, Barrier};
use std::time::Instant;

/// Repeat `cmd` for `secs`: `{r}` in it is a message by chance, `{s}` is `+` or `-`.
pub fn imaploop(a: &Args) -> bool {
    let stats = Stats::new();
    let conns = a.n("conns", 1);
    let barrier = Arc::new(Barrier::new(conns as usize + 1));
    let start = |number| {
        let (a, stats, barrier) = (a.clone(), stats.clone(), barrier.clone());
        spawn(move || {
            let selected = selected(&a, number);
            barrier.wait();
            barrier.wait();
            if let Err(error) =
                selected.and_then(|(imap, size)| repeat(&a, number, imap, size, &stats))
            {
                stats.err(error)
            }
        })
    };
    let threads: Vec<_> = (0..conns).map(start).collect();
    barrier.wait();
    ready(a, "");
    let (cpu, began) = (cpu_us(), Instant::now());
    barrier.wait();
    threads.into_iter().for_each(|one| drop(one.join()));
    report(&stats, began.elapsed().as_secs_f64(), cpu, "")
}

/// Return a connection that has selected a mailbox, and how many messages are in it.
fn selected(a: &Args, number: u64) -> R<(Imap, u64)> {
    let (first, all) = a.users();
    let mut imap = Imap::open(a, 65536)?;
    imap.login(a, first + number % all)?;
    let exists = imap.ok("SELECT INBOX")?.exists;
    Ok((imap, exists.max(0) as u64))
}

fn repeat(a: &Args, number: u64, mut imap: Imap, size: u64, stats: &Stats) -> R<()> {
    let command = a.s("cmd", "NOOP");
    let (is_fetch, has_number) = (command.contains("FETCH"), command.contains("{r}"));
    let (mut chance, mut latencies, mut bytes) = (Rng(77 + number * 7919), vec![], 0);
    let began = Instant::now();
    while began.elapsed().as_secs_f64() < a.f("secs", 4.0) {
        let line = if has_number { filled(&command, size, &mut chance) } else { command.clone() };
        let then = Instant::now();
        let answer = imap.run(line.as_bytes(), false)?;
        if !answer.is_ok() || is_fetch && answer.fetch != 1 {
            return Err(format!("{}: {} {}", line, answer.status, answer.text));
        }
        bytes += answer.bytes;
        latencies.push(then.elapsed().as_micros() as u32)
    }
    stats.done(latencies.len() as u64, bytes, latencies);
    imap.ok("LOGOUT")?;
    imap.c.bye();
    Ok(())
}

fn filled(command: &str, size: u64, chance: &mut Rng) -> String {
    let message = (1 + chance.below(size)).to_string();
    let sign = if chance.below(2) == 0 { "+" } else { "-" };
    command.replace("{r}", &message).replace("{s}", sign)
}
