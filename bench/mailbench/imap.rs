//! An IMAP client that counts what is in answers without keeping them.
use crate::connection::{find, Conn, R};
use crate::system::cpu_us;
use crate::workload::{jstr, Args};
use std::io::{BufRead, Write};
use std::time::Instant;

#[derive(Default, Debug, Clone)]
pub struct Resp {
    pub status: String,
    pub fetch: u64,
    pub exists: i64,
    pub expunge: u64,
    pub search: u64,
    pub thread: u64,
    pub lits: u64,
    pub lit_bytes: u64,
    pub sizes: u64,
    pub bytes: u64,
    pub search_seen: u64,
    pub status_msgs: i64,
    pub text: String,
    pub lines: u64,
}
pub struct Imap {
    pub c: Conn,
    pub tag: u64,
    pub caps: String,
}
pub fn parse_u(b: &[u8]) -> (u64, usize) {
    let mut v = 0u64;
    let mut i = 0;
    while i < b.len() && b[i].is_ascii_digit() {
        v = v * 10 + (b[i] - b'0') as u64;
        i += 1
    }
    (v, i)
}
impl Imap {
    pub fn open(a: &Args, bufsz: usize) -> R<Imap> {
        let mut c = Conn::new(&a.addr(), a.tls(), bufsz, a.n("timeout", 120))?;
        let g = c.line_str()?;
        if !g.starts_with("* OK") {
            return Err(format!("greeting: {}", g));
        }
        if a.s("tls", "none") == "starttls" {
            c.send(b"s1 STARTTLS\r\n")?;
            loop {
                let l = c.line_str()?;
                if l.starts_with("s1 OK") {
                    break;
                }
                if l.starts_with("s1 ") {
                    return Err(l);
                }
            }
            c.handshake()?
        }
        Ok(Imap { c, tag: 0, caps: g })
    }
    pub fn login(&mut self, a: &Args, u: u64) -> R<()> {
        let cmd = format!("LOGIN {} {}", a.user(u), a.pass(u));
        let r = self.run(cmd.as_bytes(), false)?;
        if r.status != "OK" {
            return Err(format!("login {}: {} {}", a.user(u), r.status, r.text));
        }
        Ok(())
    }
    pub fn send(&mut self, cmd: &[u8]) -> R<()> {
        self.tag += 1;
        let mut b = format!("a{} ", self.tag).into_bytes();
        b.extend(cmd);
        b.extend(b"\r\n");
        self.c.send(&b)
    }
    pub fn run(&mut self, cmd: &[u8], sizes: bool) -> R<Resp> {
        self.send(cmd)?;
        self.finish(sizes)
    }
    pub fn ok(&mut self, cmd: &str) -> R<Resp> {
        let r = self.run(cmd.as_bytes(), false)?;
        if r.status != "OK" {
            return Err(format!("{}: {} {}", cmd, r.status, r.text));
        }
        Ok(r)
    }
    pub fn cont(&mut self) -> R<()> {
        // wait for "+"
        loop {
            let (a, b) = self.c.line()?;
            if self.c.buf[a] == b'+' {
                return Ok(());
            }
            if self.c.buf[a] != b'*' {
                return Err(format!(
                    "wanted +, got {}",
                    String::from_utf8_lossy(&self.c.buf[a..b])
                ));
            }
        }
    }
    pub fn finish(&mut self, sizes: bool) -> R<Resp> {
        let mut r = Resp { exists: -1, status_msgs: -1, ..Default::default() };
        let t0 = self.c.total - (self.c.len - self.c.pos) as u64;
        let tag = format!("a{} ", self.tag).into_bytes();
        loop {
            let (a, b) = self.c.line()?;
            r.lines += 1;
            let l = &self.c.buf[a..b];
            if l.starts_with(b"* ") {
                let (n, k) = parse_u(&l[2..]);
                let rest = &l[2 + k..];
                if k > 0 {
                    if rest.starts_with(b" FETCH") {
                        r.fetch += 1
                    } else if rest.starts_with(b" EXISTS") {
                        r.exists = n as i64
                    } else if rest.starts_with(b" EXPUNGE") {
                        r.expunge += 1
                    }
                } else if rest.starts_with(b"SEARCH") || rest.starts_with(b"SORT") {
                    r.search_seen += 1;
                    r.search += rest
                        .split(|c| *c == b' ')
                        .filter(|w| !w.is_empty() && w[0].is_ascii_digit())
                        .count() as u64
                } else if rest.starts_with(b"ESEARCH") {
                    r.search_seen += 1;
                    if let Some(i) = find(rest, b"COUNT ") {
                        r.search += parse_u(&rest[i + 6..]).0
                    }
                } else if rest.starts_with(b"THREAD") {
                    let mut ind = false;
                    for ch in rest {
                        let d = ch.is_ascii_digit();
                        if d && !ind {
                            r.thread += 1
                        }
                        ind = d
                    }
                } else if rest.starts_with(b"VANISHED") {
                    let i = rest.iter().rposition(|c| *c == b' ').unwrap_or(0);
                    for w in rest[i + 1..].split(|c| *c == b',') {
                        let (x, k) = parse_u(w);
                        let y = if k < w.len() { parse_u(&w[k + 1..]).0 } else { x };
                        r.expunge += y + 1 - x
                    }
                } else if rest.starts_with(b"STATUS") {
                    if let Some(i) = find(rest, b"MESSAGES ") {
                        r.status_msgs = parse_u(&rest[i + 9..]).0 as i64
                    }
                } else if rest.starts_with(b"CAPABILITY") {
                    self.caps = String::from_utf8_lossy(rest).into_owned()
                } else if rest.starts_with(b"BYE") {
                    r.text = String::from_utf8_lossy(rest).into_owned()
                }
            } else if l.starts_with(&tag) {
                let rest = &l[tag.len()..];
                let sp = rest.iter().position(|c| *c == b' ').unwrap_or(rest.len());
                r.status = String::from_utf8_lossy(&rest[..sp]).into_owned();
                r.text = String::from_utf8_lossy(&rest[(sp + 1).min(rest.len())..]).into_owned();
                if let Some(i) = find(rest, b"[CAPABILITY ") {
                    self.caps = String::from_utf8_lossy(&rest[i..]).into_owned()
                }
                r.bytes = self.c.total - (self.c.len - self.c.pos) as u64 - t0;
                return Ok(r);
            } else if l.first() == Some(&b'+') {
                continue;
            } else {
                return Err(format!("unexpected line: {:.200}", String::from_utf8_lossy(l)));
            }
            // literals inside this response
            let (mut a, mut b) = (a, b);
            loop {
                let l = &self.c.buf[a..b];
                if sizes {
                    if let Some(i) = find(l, b"RFC822.SIZE ") {
                        r.sizes += parse_u(&l[i + 12..]).0
                    }
                }
                let mut lit = None;
                if l.last() == Some(&b'}') {
                    if let Some(i) = l.iter().rposition(|c| *c == b'{') {
                        let (n, k) = parse_u(&l[i + 1..]);
                        if k > 0 && i + 1 + k == l.len() - 1 {
                            lit = Some(n)
                        }
                    }
                }
                match lit {
                    None => break,
                    Some(n) => {
                        r.lits += 1;
                        r.lit_bytes += n;
                        self.c.skip(n as usize)?;
                        let x = self.c.line()?;
                        a = x.0;
                        b = x.1
                    }
                }
            }
        }
    }
}
pub fn resp_json(r: &Resp, secs: f64, cpu: f64) -> String {
    format!("{{\"status\":{},\"text\":{},\"secs\":{:.6},\"fetch\":{},\"exists\":{},\"expunge\":{},\"search\":{},\"search_seen\":{},\"thread\":{},\"lits\":{},\"lit_bytes\":{},\"sizes\":{},\"bytes\":{},\"status_msgs\":{},\"lines\":{},\"client_cpu_us\":{:.0}}}",
        jstr(&r.status), jstr(&r.text), secs, r.fetch, r.exists, r.expunge, r.search, r.search_seen, r.thread, r.lits, r.lit_bytes, r.sizes, r.bytes, r.status_msgs, r.lines, cpu)
}
// interactive: one IMAP command per stdin line, one JSON object per answer
pub fn imapcmds(a: &Args) -> bool {
    let mut im = match Imap::open(a, 1 << 18) {
        Ok(x) => x,
        Err(e) => {
            println!("{{\"status\":\"FAIL\",\"text\":{}}}", jstr(&e));
            return false;
        }
    };
    if let Err(e) = im.login(a, a.n("u", 0)) {
        println!("{{\"status\":\"FAIL\",\"text\":{}}}", jstr(&e));
        return false;
    }
    let r = im.ok("CAPABILITY");
    println!(
        "{{\"status\":\"{}\",\"caps\":{},\"tls\":{}}}",
        if r.is_ok() { "OK" } else { "FAIL" },
        jstr(&im.caps),
        jstr(&im.c.tls_version())
    );
    let stdin = std::io::stdin();
    for l in stdin.lock().lines().map_while(Result::ok) {
        if l.is_empty() {
            continue;
        }
        let (c0, t) = (cpu_us(), Instant::now());
        match im.run(l.as_bytes(), l.contains("RFC822.SIZE")) {
            Ok(r) => println!("{}", resp_json(&r, t.elapsed().as_secs_f64(), cpu_us() - c0)),
            Err(e) => {
                println!("{{\"status\":\"FAIL\",\"text\":{}}}", jstr(&e));
                return false;
            }
        }
        std::io::stdout().flush().ok();
    }
    true
}
