//! What all workloads share: arguments, chance, statistics and their report.
use crate::system::cpu_us;
use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Instant;

const TOO_MANY: u64 = 10; // errors
const STACK: usize = 192 * 1024; // octets for each connection's thread

/// Xorshift: the same numbers for the same seed.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        let mut x = self.0;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0 = x;
        x.wrapping_mul(0x2545F4914F6CDD1D)
    }

    /// Return a number below `n`, or 0 where there is none.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11).checked_rem(n).unwrap_or(0)
    }
}

/// The `key=value` words of the command line.
#[derive(Clone)]
pub struct Args(pub HashMap<String, String>);

impl Args {
    pub fn new(words: impl Iterator<Item = String>) -> Args {
        let pair = |word: String| match word.split_once('=') {
            Some((key, value)) => (key.to_string(), value.to_string()),
            None => panic!("{}: key=value wanted", word),
        };
        Args(words.map(pair).collect())
    }

    /// Return a text, or the default.
    pub fn s(&self, key: &str, default: &str) -> String {
        self.0.get(key).cloned().unwrap_or_else(|| default.to_string())
    }

    /// Return a whole number, or the default.
    pub fn n(&self, key: &str, default: u64) -> u64 {
        self.f(key, default as f64) as u64
    }

    /// Return a number, or the default.
    pub fn f(&self, key: &str, default: f64) -> f64 {
        let read = |text: &String| match text.parse() {
            Ok(number) => number,
            Err(_) => panic!("{}={} is no number", key, text),
        };
        self.0.get(key).map_or(default, read)
    }

    pub fn addr(&self) -> String {
        format!("{}:{}", self.s("host", "127.0.0.1"), self.s("port", "0"))
    }

    pub fn tls(&self) -> bool {
        self.s("tls", "none") == "tls"
    }

    pub fn user(&self, n: u64) -> String {
        self.s("user", "u{n}").replace("{n}", &n.to_string())
    }

    pub fn pass(&self, n: u64) -> String {
        self.s("pass", "secret").replace("{n}", &n.to_string())
    }

    /// Return the number of the first user, and how many there are.
    pub fn users(&self) -> (u64, u64) {
        let first = self.n("ulo", 0);
        (first, self.n("uhi", 199) - first + 1)
    }

    /// Return the number of a user by chance.
    pub fn pick(&self, chance: &mut Rng) -> u64 {
        let (first, number) = self.users();
        first + chance.below(number)
    }
}

/// What the connections of a run have done together; latencies in microseconds.
pub struct Stats {
    pub lat: Mutex<Vec<u32>>,
    pub ops: AtomicU64,
    pub bytes: AtomicU64,
    pub errors: AtomicU64,
    pub first_err: Mutex<String>,
}

impl Stats {
    pub fn new() -> Arc<Stats> {
        Arc::new(Stats {
            lat: Mutex::new(vec![]),
            ops: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            first_err: Mutex::new(String::new()),
        })
    }

    /// Add what one connection has done.
    pub fn done(&self, ops: u64, bytes: u64, latencies: Vec<u32>) {
        self.ops.fetch_add(ops, SeqCst);
        self.bytes.fetch_add(bytes, SeqCst);
        self.lat.lock().unwrap().extend(latencies)
    }

    pub fn err(&self, error: String) {
        self.errors.fetch_add(1, SeqCst);
        let mut first = self.first_err.lock().unwrap();
        if first.is_empty() {
            *first = error
        }
    }
}

/// Return a text as JSON.
pub fn jstr(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' => "\\\"".to_string(),
        '\\' => "\\\\".to_string(),
        c if (c as u32) < 32 => format!("\\u{:04x}", c as u32),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// Print the report, with `extra` fields; return whether all answers were right.
pub fn report(stats: &Stats, seconds: f64, cpu_before: f64, extra: &str) -> bool {
    let mut latencies = stats.lat.lock().unwrap();
    latencies.sort_unstable();
    let last = latencies.len().saturating_sub(1) as f64;
    let at = |part: f64| latencies.get((last * part) as usize).copied().unwrap_or(0);
    let (ops, errors) = (stats.ops.load(SeqCst), stats.errors.load(SeqCst));
    let fields = [
        format!("\"ops\":{},\"secs\":{:.6}", ops, seconds),
        format!("\"ops_s\":{:.3}", ops as f64 / seconds.max(1e-9)),
        format!("\"p50_us\":{},\"p99_us\":{},\"max_us\":{}", at(0.5), at(0.99), at(1.0)),
        format!("\"bytes\":{}", stats.bytes.load(SeqCst)),
        format!("\"client_cpu_us\":{:.0}", cpu_us() - cpu_before),
        format!("\"errors\":{}", errors),
        format!("\"first_error\":{}", jstr(&stats.first_err.lock().unwrap())),
    ];
    println!("{{{}{}}}", fields.join(","), extra);
    errors == 0
}

/// Start a thread with a small stack.
pub fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().stack_size(STACK).spawn(work).expect("thread")
}

/// Print that all are logged in; with `wait=1` wait for a line, so that the driver can look at the server.
pub fn ready(a: &Args, more: &str) {
    println!("{{\"ready\":true{}}}", more);
    std::io::stdout().flush().ok();
    if a.n("wait", 0) == 1 {
        wait_for_line()
    }
}

pub fn wait_for_line() {
    std::io::stdin().read_line(&mut String::new()).ok();
}

/// Run `session` again and again in `conns` threads for `secs`, `total` times at most, and report.
///
/// It gets the number of its thread and a source of chance. More than `TOO_MANY` errors end it.
pub fn sessions(a: &Args, session: fn(&Args, u64, &mut Rng) -> Result<(), String>) -> bool {
    let (stats, cpu, began) = (Stats::new(), cpu_us(), Instant::now());
    let next = Arc::new(AtomicU64::new(0));
    let start = |number: u64| {
        let (a, stats, next) = (a.clone(), stats.clone(), next.clone());
        spawn(move || {
            let (mut chance, mut latencies) = (Rng(1234567 + number * 104729), vec![]);
            while began.elapsed().as_secs_f64() < a.f("secs", 5.0)
                && next.fetch_add(1, SeqCst) < a.n("total", u64::MAX)
                && stats.errors.load(SeqCst) <= TOO_MANY
            {
                let then = Instant::now();
                match session(&a, number, &mut chance) {
                    Ok(()) => latencies.push(then.elapsed().as_micros() as u32),
                    Err(error) => stats.err(error),
                }
            }
            stats.done(latencies.len() as u64, 0, latencies)
        })
    };
    let threads: Vec<_> = (0..a.n("conns", 10)).map(start).collect();
    threads.into_iter().for_each(|one| drop(one.join()));
    report(&stats, began.elapsed().as_secs_f64(), cpu, "")
}

/// Open connections, `most` at a time, and return those that could be opened.
pub fn sessions_of<T: Send + 'static>(
    most: u64,
    number: u64,
    a: &Args,
    stats: &Arc<Stats>,
    open: fn(&Args, u64) -> Result<T, String>,
) -> Vec<T> {
    let next = Arc::new(AtomicU64::new(0));
    let start = |_| {
        let (a, stats, next) = (a.clone(), stats.clone(), next.clone());
        spawn(move || {
            let mut opened = vec![];
            loop {
                let one = next.fetch_add(1, SeqCst);
                if one >= number || stats.errors.load(SeqCst) > TOO_MANY {
                    return opened;
                }
                match open(&a, one) {
                    Ok(session) => opened.push(session),
                    Err(error) => stats.err(error),
                }
            }
        })
    };
    let threads: Vec<_> = (0..most).map(start).collect();
    threads.into_iter().flat_map(|one| one.join().unwrap_or_default()).collect()
}
