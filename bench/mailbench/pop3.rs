//! POP3: a whole maildrop fetched.
use crate::connection::{Conn, R};
use crate::system::cpu_us;
use crate::workload::{report, Args, Stats};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

/// Read an answer of one line, which must be +OK.
pub fn pop_line(c: &mut Conn) -> R<String> {
    let line = c.line_str()?;
    if line.starts_with("+OK") {
        Ok(line)
    } else {
        Err(format!("POP3: {}", line))
    }
}

/// Read an answer of many lines; return how many, and their octets with CRLF and without stuffing.
fn pop_lines(c: &mut Conn) -> R<(u64, u64)> {
    let (start, end) = c.line()?;
    if !c.buf[start..end].starts_with(b"+OK") {
        return Err(format!("POP3: {}", String::from_utf8_lossy(&c.buf[start..end])));
    }
    let (mut lines, mut octets) = (0, 0);
    loop {
        let (start, end) = c.line()?;
        let is_stuffed = c.buf[start..end].first() == Some(&b'.');
        if is_stuffed && end - start == 1 {
            return Ok((lines, octets));
        }
        lines += 1;
        octets += (end - start + 2) as u64 - is_stuffed as u64
    }
}

/// Connect and log in.
pub fn pop_open(a: &Args, user: u64) -> R<Conn> {
    let mut c = Conn::new(&a.addr(), a.tls(), 1 << 17, 120)?;
    pop_line(&mut c)?;
    for command in [format!("USER {}\r\n", a.user(user)), format!("PASS {}\r\n", a.pass(user))] {
        c.send(command.as_bytes())?;
        pop_line(&mut c)?;
    }
    Ok(c)
}

/// STAT, UIDL and RETR of all; `pipe` commands at a time. `want` and `want_bytes` must be there.
pub fn pop3get(a: &Args) -> bool {
    let (stats, cpu, began) = (Stats::new(), cpu_us(), Instant::now());
    if let Err(error) = fetch(a, &stats) {
        stats.err(error)
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = stats.bytes.load(SeqCst) as f64 / seconds / 1e6;
    report(&stats, seconds, cpu, &format!(",\"mb_s\":{:.3}", rate))
}

fn fetch(a: &Args, stats: &Stats) -> R<()> {
    let mut c = pop_open(a, a.n("u", 0))?;
    c.send(b"STAT\r\n")?;
    let stat = pop_line(&mut c)?;
    let number = |at| stat.split(' ').nth(at).and_then(|word| word.parse().ok()).ok_or("STAT");
    let (messages, size): (u64, u64) = (number(1)?, number(2)?);
    equal("STAT", messages, a.n("want", messages))?;
    c.send(b"UIDL\r\n")?;
    equal("UIDL", pop_lines(&mut c)?.0, messages)?;
    let (octets, latencies) = retrieve(&mut c, messages, a.n("pipe", 1))?;
    equal("octets", octets, size)?;
    equal("octets", octets, a.n("want_bytes", size))?;
    c.send(b"QUIT\r\n")?;
    pop_line(&mut c)?;
    stats.done(messages, octets, latencies);
    Ok(())
}

fn equal(name: &str, found: u64, wanted: u64) -> R<()> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{}: {}, wanted {}", name, found, wanted))
    }
}

/// Fetch all messages, so many commands under way; return the octets, and the time of each.
fn retrieve(c: &mut Conn, messages: u64, pipe: u64) -> R<(u64, Vec<u32>)> {
    let (mut sent, mut octets, mut latencies) = (0, 0, vec![]);
    for got in 0..messages {
        let last = messages.min(got + pipe);
        let commands: String = (sent..last).map(|one| format!("RETR {}\r\n", one + 1)).collect();
        let began = Instant::now();
        if !commands.is_empty() {
            c.send(commands.as_bytes())?
        }
        sent = last;
        octets += pop_lines(c)?.1;
        latencies.push(began.elapsed().as_micros() as u32)
    }
    Ok((octets, latencies))
}
