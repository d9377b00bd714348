//! SMTP and submission: deliveries are counted when they are acknowledged and when they have come.
use crate::connection::{Conn, R};
use crate::messages::{count_files, message, Run};
use crate::sink::Sink;
use crate::system::cpu_us;
use crate::workload::{report, spawn, Args, Rng, Stats};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Arc;
use std::time::{Duration, Instant};

const EHLO: &[u8] = b"EHLO client.bench.test\r\n";
const TOO_MANY: u64 = 20; // errors after which a client gives up
const PATIENCE: f64 = 60.0; // seconds within which what was acknowledged must have come

/// Read a whole reply, which must have this code.
pub fn smtp_reply(c: &mut Conn, want: u32) -> R<()> {
    loop {
        let (a, b) = c.line()?;
        if b - a < 3 {
            return Err("short SMTP reply".into());
        }
        if b - a > 3 && c.buf[a + 3] == b'-' {
            continue;
        }
        let text = String::from_utf8_lossy(&c.buf[a..b]).into_owned();
        return match text[..3].parse() {
            Ok(code) if want == code => Ok(()),
            _ => Err(format!("wanted {} got: {}", want, text)),
        };
    }
}

fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let octet = |at: usize| *three.get(at).unwrap_or(&0) as u32;
        let value = octet(0) << 16 | octet(1) << 8 | octet(2);
        for digit in 0..4 {
            let shift = 18 - 6 * digit;
            let is_there = digit <= three.len();
            text.push(if is_there { DIGITS[(value >> shift & 63) as usize] as char } else { '=' })
        }
    }
    text
}

/// Connect and say EHLO, with `tls=starttls` twice; with `auth=1` log in as a user drawn by chance.
pub fn smtp_open(a: &Args, chance: &mut Rng) -> R<Conn> {
    let mut c = Conn::new(&a.addr(), a.tls(), 16384, a.n("timeout", 60))?;
    smtp_reply(&mut c, 220)?;
    c.send(EHLO)?;
    smtp_reply(&mut c, 250)?;
    if a.s("tls", "none") == "starttls" {
        c.send(b"STARTTLS\r\n")?;
        smtp_reply(&mut c, 220)?;
        c.handshake()?;
        c.send(EHLO)?;
        smtp_reply(&mut c, 250)?;
    }
    if a.n("auth", 0) == 1 {
        let user = a.pick(chance);
        let token = base64(format!("\0{}\0{}", a.user(user), a.pass(user)).as_bytes());
        c.send(format!("AUTH PLAIN {}\r\n", token).as_bytes())?;
        smtp_reply(&mut c, 235)?;
    }
    Ok(c)
}

/// What all clients of a run share.
struct Clients {
    args: Args,
    stats: Arc<Stats>,
    run: Run,
    next: AtomicU64,
    deliveries: AtomicU64, // acknowledged: one for each recipient of a message
    began: Instant,
}

impl Clients {
    fn new(args: &Args, stats: Arc<Stats>) -> Clients {
        Clients {
            args: args.clone(),
            stats,
            run: Run::new(args, args.n("size", 4096) as usize, 42),
            next: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            began: Instant::now(),
        }
    }

    /// Open connections, some messages in each, until all are sent or the time is over.
    fn client(&self, number: u64) {
        let total = self.args.n("total", 2000);
        let each = self.args.n("per_conn", 1).max(1);
        let seed = (number + 1).wrapping_mul(0xD1B54A32D192ED03);
        let mut chance = Rng(0x9E3779B97F4A7C15 ^ seed);
        let mut latencies = vec![];
        loop {
            let first = self.next.fetch_add(each, SeqCst);
            if first >= total || self.began.elapsed().as_secs_f64() > self.args.f("maxs", 10.0) {
                break;
            }
            let last = total.min(first + each);
            if let Err(error) = self.connection(first..last, &mut chance, &mut latencies) {
                self.stats.err(error);
                if self.stats.errors.load(SeqCst) > TOO_MANY {
                    break;
                }
            }
        }
        self.stats.done(0, 0, latencies)
    }

    fn connection(
        &self,
        numbers: std::ops::Range<u64>,
        chance: &mut Rng,
        latencies: &mut Vec<u32>,
    ) -> R<()> {
        let mut began = Instant::now(); // the first message's time is that of its connection, too
        let mut c = smtp_open(&self.args, chance)?;
        let is_answer = self.args.n("answers", 0) == 1;
        for number in numbers {
            let answer = self.deliver(&mut c, number, chance)?;
            let took = if is_answer { answer } else { began.elapsed() };
            latencies.push(took.as_micros() as u32);
            began = Instant::now();
        }
        c.send(b"QUIT\r\n")?;
        smtp_reply(&mut c, 221)?;
        c.bye();
        Ok(())
    }

    /// Send one message; return how long the answer to its last dot took.
    fn deliver(&self, c: &mut Conn, number: u64, chance: &mut Rng) -> R<Duration> {
        let recipients = self.recipients(chance);
        let size = self.args.n("size", 4096) as usize;
        let mut text = message(&self.run, number, size, &recipients[0]);
        let octets = text.len() as u64;
        text.extend(b".\r\n");
        self.envelope(c, &recipients)?;
        smtp_reply(c, 354)?;
        let began = Instant::now();
        c.send(&text)?;
        smtp_reply(c, 250)?;
        let answer = began.elapsed();
        self.stats.ops.fetch_add(1, SeqCst);
        self.stats.bytes.fetch_add(octets, SeqCst);
        self.deliveries.fetch_add(recipients.len() as u64, SeqCst);
        Ok(answer)
    }

    fn recipients(&self, chance: &mut Rng) -> Vec<String> {
        let (low, high) = (self.args.n("ulo", 0), self.args.n("uhi", 199));
        let first = self.args.pick(chance) - low;
        let user = |one: u64| low + (first + one) % (high - low + 1);
        let named = |one: u64| self.args.s("rcpt", "").replace("{n}", &user(one).to_string());
        (0..self.args.n("rcpts", 1)).map(named).collect()
    }

    /// Send MAIL, RCPT and DATA, all at once with `pipe=1`; the answer to DATA is still to come.
    fn envelope(&self, c: &mut Conn, recipients: &[String]) -> R<()> {
        let mut commands = vec![format!("MAIL FROM:<{}>\r\n", self.run.sender)];
        commands.extend(recipients.iter().map(|one| format!("RCPT TO:<{}>\r\n", one)));
        if self.args.n("pipe", 0) == 1 {
            c.send((commands.concat() + "DATA\r\n").as_bytes())?;
            return commands.iter().try_for_each(|_| smtp_reply(c, 250));
        }
        for command in &commands {
            c.send(command.as_bytes())?;
            smtp_reply(c, 250)?;
        }
        c.send(b"DATA\r\n")
    }

    /// Wait until as much has come as was acknowledged; return how much has.
    fn wait_until_come(&self, before: u64, sink: Option<&Sink>) -> u64 {
        let wanted = self.deliveries.load(SeqCst);
        if let Some(sink) = sink {
            return sink.wait(wanted, PATIENCE);
        }
        let began = Instant::now();
        loop {
            let there = count_files(&self.args).saturating_sub(before);
            if there >= wanted || began.elapsed().as_secs_f64() > PATIENCE {
                return there;
            }
            std::thread::sleep(Duration::from_millis(10))
        }
    }

    /// Compare what has come with what was acknowledged; return the seconds until the last came.
    fn end(&self, before: u64, sink: Option<&Sink>) -> f64 {
        let (wanted, there) = (self.deliveries.load(SeqCst), self.wait_until_come(before, sink));
        if there != wanted {
            self.stats.err(format!("{} deliveries acknowledged but {} came", wanted, there))
        }
        let twice = sink.map_or(0, |sink| sink.twice.load(SeqCst));
        if twice > 0 {
            self.stats.err(format!("{} deliveries came twice", twice))
        }
        let last = sink.and_then(|sink| sink.seconds_since(self.began));
        last.unwrap_or_else(|| self.began.elapsed().as_secs_f64())
    }
}

/// Start the sink at `sink_port`, where mail for other domains goes to.
fn sink_of(a: &Args, run: &str) -> Option<Arc<Sink>> {
    let port = a.n("sink_port", 0);
    (port > 0).then(|| Sink::start(port, run, "").expect("a free port"))
}

/// Deliver `total` messages by `conns` clients, `per_conn` to a connection, to `rcpts` users each.
///
/// They must come as files in `count_dirs`, or at `sink_port`, each once. With `answers=1` the latencies
/// are those of the answers to messages, without their envelopes.
pub fn smtp(a: &Args) -> bool {
    let (stats, cpu) = (Stats::new(), cpu_us());
    let before = count_files(a);
    let clients = Arc::new(Clients::new(a, stats.clone()));
    let sink = sink_of(a, &clients.run.name);
    let start = |number| {
        let clients = clients.clone();
        spawn(move || clients.client(number))
    };
    let threads: Vec<_> = (0..a.n("conns", 20)).map(start).collect();
    threads.into_iter().for_each(|one| drop(one.join()));
    let accepted = clients.began.elapsed().as_secs_f64();
    let seconds = clients.end(before, sink.as_deref()).max(accepted);
    let rate = stats.ops.load(SeqCst) as f64 / accepted;
    let megabytes = stats.bytes.load(SeqCst) as f64 / seconds / 1e6;
    let more = format!(",\"accepted_s\":{:.2},\"mb_s\":{:.3}", rate, megabytes);
    report(&stats, seconds, cpu, &more)
}
