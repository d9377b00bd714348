//! An IMAP client, and the workload that runs one command after another for the driver.
use crate::answer::{literal, Answer};
use crate::connection::{Conn, R};
use crate::system::cpu_us;
use crate::workload::{jstr, Args};
use std::io::{BufRead, Write};
use std::time::Instant;

/// One connection; `caps` is what the server last said of its capabilities.
pub struct Imap {
    pub c: Conn,
    pub tag: u64,
    pub caps: String,
}

impl Imap {
    pub fn open(a: &Args, size: usize) -> R<Imap> {
        let mut c = Conn::new(&a.addr(), a.tls(), size, a.n("timeout", 120))?;
        let greeting = c.line_str()?;
        if !greeting.starts_with("* OK") {
            return Err(format!("greeting: {}", greeting));
        }
        Ok(Imap { c, tag: 0, caps: greeting })
    }

    pub fn login(&mut self, a: &Args, user: u64) -> R<()> {
        self.ok(&format!("LOGIN {} {}", a.user(user), a.pass(user))).map(drop)
    }

    pub fn send(&mut self, command: &[u8]) -> R<()> {
        self.tag += 1;
        let tag = format!("a{} ", self.tag);
        self.c.send(&[tag.as_bytes(), command, b"\r\n"].concat())
    }

    /// Run a command; `sizes` adds up RFC822.SIZE, which costs a search in every line.
    pub fn run(&mut self, command: &[u8], sizes: bool) -> R<Answer> {
        self.send(command)?;
        self.finish(sizes)
    }

    /// Run a command that must succeed.
    pub fn ok(&mut self, command: &str) -> R<Answer> {
        let answer = self.run(command.as_bytes(), false)?;
        if answer.is_ok() {
            Ok(answer)
        } else {
            Err(format!("{}: {} {}", command, answer.status, answer.text))
        }
    }

    /// Wait for the continuation request.
    pub fn cont(&mut self) -> R<()> {
        loop {
            let (start, end) = self.c.line()?;
            match self.c.buf[start] {
                b'+' => return Ok(()),
                b'*' => continue,
                _ => return Err(String::from_utf8_lossy(&self.c.buf[start..end]).into_owned()),
            }
        }
    }

    /// Read until the tagged line.
    pub fn finish(&mut self, sizes: bool) -> R<Answer> {
        let mut answer = Answer::new();
        let before = self.c.used();
        let tag = format!("a{} ", self.tag).into_bytes();
        loop {
            let (start, end) = self.c.line()?;
            let line = &self.c.buf[start..end];
            if line.starts_with(&tag) {
                answer.tagged(&line[tag.len()..]);
                answer.bytes = self.c.used() - before;
                self.learn(&answer.text);
                return Ok(answer);
            }
            if line.starts_with(b"* CAPABILITY") {
                self.caps = String::from_utf8_lossy(line).into_owned()
            } else if line.starts_with(b"* ") {
                answer.untagged(&line[2..]);
                self.literals(start, end, sizes, &mut answer)?
            } else if line.first() != Some(&b'+') {
                return Err(format!("unexpected line: {:.200}", String::from_utf8_lossy(line)));
            }
        }
    }

    fn learn(&mut self, text: &str) {
        if let Some(at) = text.find("[CAPABILITY ") {
            self.caps = text[at..].into()
        }
    }

    /// Read the rest of a response that began with the line at `start..end`.
    fn literals(&mut self, start: usize, end: usize, sizes: bool, to: &mut Answer) -> R<()> {
        let (mut start, mut end) = (start, end);
        loop {
            let line = &self.c.buf[start..end];
            if sizes {
                to.add_size(line)
            }
            match literal(line) {
                None => return Ok(()),
                Some(size) => {
                    to.lit_bytes += size;
                    self.c.skip(size as usize)?;
                    (start, end) = self.c.line()?
                }
            }
        }
    }
}

/// Log in as user `u`; then run a command for each line of input, and print a line of JSON for it.
pub fn imapcmds(a: &Args) -> bool {
    let failed = |error: String| {
        println!("{{\"status\":\"FAIL\",\"text\":{}}}", jstr(&error));
        false
    };
    let mut imap = match logged_in(a) {
        Ok(imap) => imap,
        Err(error) => return failed(error),
    };
    println!("{{\"status\":\"OK\",\"caps\":{}}}", jstr(&imap.caps));
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let (cpu, began) = (cpu_us(), Instant::now());
        match imap.run(line.as_bytes(), line.contains("RFC822.SIZE")) {
            Ok(answer) => {
                println!("{}", answer.json(began.elapsed().as_secs_f64(), cpu_us() - cpu))
            }
            Err(error) => return failed(error),
        }
        std::io::stdout().flush().ok();
    }
    true
}

fn logged_in(a: &Args) -> R<Imap> {
    let mut imap = Imap::open(a, 1 << 18)?;
    imap.login(a, a.n("u", 0))?;
    imap.ok("CAPABILITY")?;
    Ok(imap)
}
