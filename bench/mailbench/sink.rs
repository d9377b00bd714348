//! A server that takes all mail: what comes out of a queue is counted, each message for each recipient.
use crate::connection::{es, Conn, R};
use crate::messages::MESSAGE_ID;
use crate::workload::{jstr, spawn, Args};
use std::collections::HashSet;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const PATIENCE: u64 = 120; // seconds for each command
const OFFERED: &[u8] = b"250-sink.test\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250 8BITMIME\r\n";

/// What has come: `twice` counts what came again, `last` is when something last came.
pub struct Sink {
    run: String,  // the beginning of the identifiers of messages that count
    tell: String, // in a recipient: print when a message for it comes
    seen: Mutex<HashSet<(String, String)>>,
    last: Mutex<Option<Instant>>,
    pub twice: AtomicU64,
    pub connections: AtomicU64,
}

impl Sink {
    /// Listen at a port of 127.0.0.1, for messages whose Message-ID begins with `run`.
    pub fn start(port: u64, run: &str, tell: &str) -> R<Arc<Sink>> {
        let listener = TcpListener::bind(("127.0.0.1", port as u16)).map_err(es("sink"))?;
        let sink = Arc::new(Sink {
            run: run.to_ascii_lowercase(),
            tell: tell.into(),
            seen: Mutex::new(HashSet::new()),
            last: Mutex::new(None),
            twice: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let accepting = sink.clone();
        spawn(move || {
            for socket in listener.incoming().flatten() {
                let sink = accepting.clone();
                sink.connections.fetch_add(1, SeqCst);
                spawn(move || sink.converse(socket).ok());
            }
        });
        Ok(sink)
    }

    pub fn deliveries(&self) -> u64 {
        self.seen.lock().unwrap().len() as u64
    }

    /// Return how long after `began` something last came.
    pub fn seconds_since(&self, began: Instant) -> Option<f64> {
        self.last.lock().unwrap().map(|last| last.duration_since(began).as_secs_f64())
    }

    /// Wait until so many deliveries have come, `most` seconds at most; return how many have.
    pub fn wait(&self, wanted: u64, most: f64) -> u64 {
        let began = Instant::now();
        while self.deliveries() < wanted && began.elapsed().as_secs_f64() < most {
            std::thread::sleep(Duration::from_millis(2))
        }
        self.deliveries()
    }

    fn converse(&self, socket: TcpStream) -> R<()> {
        let mut c = Conn::over(socket, 16384, PATIENCE)?;
        let (mut replies, mut recipients): (Vec<u8>, Vec<String>) = (vec![], vec![]);
        c.send(b"220 sink.test ESMTP\r\n")?;
        loop {
            let line = c.line_str()?;
            match line.get(..4).unwrap_or("").to_ascii_uppercase().as_str() {
                "EHLO" => replies.extend(OFFERED),
                "RCPT" => {
                    recipients.push(address(&line));
                    replies.extend(b"250 2.1.5 welcome\r\n")
                }
                "DATA" => {
                    replies.extend(b"354 go on\r\n");
                    c.send(&replies)?;
                    let id = self.read_message(&mut c)?;
                    self.note(&id, &recipients);
                    recipients.clear();
                    replies = b"250 2.0.0 taken\r\n".to_vec()
                }
                "QUIT" => {
                    replies.extend(b"221 2.0.0 bye\r\n");
                    return c.send(&replies);
                }
                "RSET" => {
                    recipients.clear();
                    replies.extend(b"250 2.0.0 forgotten\r\n")
                }
                _ => replies.extend(b"250 2.0.0 well\r\n"),
            }
            if !c.has_line() {
                c.send(&replies)?;
                replies.clear()
            }
        }
    }

    /// Read up to the dot; return the identifier, or nothing where there is none.
    fn read_message(&self, c: &mut Conn) -> R<String> {
        let (mut id, mut is_header) = (String::new(), true);
        loop {
            let (start, end) = c.line()?;
            let line = &c.buf[start..end];
            if line == b"." {
                return Ok(id);
            }
            is_header &= !line.is_empty();
            let name = MESSAGE_ID.len();
            if is_header && line.len() > name && line[..name].eq_ignore_ascii_case(MESSAGE_ID) {
                id = String::from_utf8_lossy(&line[name..]).to_ascii_lowercase()
            }
        }
    }

    fn note(&self, id: &str, recipients: &[String]) {
        for one in recipients.iter().filter(|one| self.is_told(one)) {
            say(&format!("{{\"recipient\":{},\"at\":{:.6}}}", jstr(one), clock()))
        }
        if !id.starts_with(&self.run) {
            return;
        }
        let mut seen = self.seen.lock().unwrap();
        for one in recipients {
            if !seen.insert((id.into(), one.clone())) {
                self.twice.fetch_add(1, SeqCst);
            }
        }
        *self.last.lock().unwrap() = Some(Instant::now())
    }

    fn is_told(&self, recipient: &str) -> bool {
        !self.tell.is_empty() && recipient.contains(&self.tell)
    }
}

/// Return what stands between the angle brackets.
fn address(line: &str) -> String {
    let rest = line.split('<').nth(1).unwrap_or("");
    rest.split('>').next().unwrap_or("").to_ascii_lowercase()
}

fn clock() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn say(line: &str) {
    println!("{}", line);
    std::io::stdout().flush().ok();
}

/// Take mail at `port` until standard input ends; each line there is answered by what has come.
pub fn sink(a: &Args) -> bool {
    let sink = match Sink::start(a.n("port", 0), &a.s("run", ""), &a.s("tell", "")) {
        Ok(sink) => sink,
        Err(error) => {
            say(&format!("{{\"ready\":false,\"errors\":1,\"first_error\":{}}}", jstr(&error)));
            return false;
        }
    };
    let began = Instant::now();
    say("{\"ready\":true}");
    while std::io::stdin().read_line(&mut String::new()).map_or(false, |octets| octets > 0) {
        let quiet = began.elapsed().as_secs_f64() - sink.seconds_since(began).unwrap_or(0.0);
        say(&format!(
            "{{\"deliveries\":{},\"twice\":{},\"connections\":{},\"last\":{:.6}}}",
            sink.deliveries(),
            sink.twice.load(SeqCst),
            sink.connections.load(SeqCst),
            clock() - quiet,
        ))
    }
    true
}
