//! What is counted in the answer to one IMAP command; nothing of it is kept.
use crate::connection::find;
use crate::workload::jstr;

/// The counts; `exists` and `status_msgs` are -1 where nothing was said of them.
#[derive(Default)]
pub struct Answer {
    pub status: String,
    pub text: String,
    pub fetch: u64,
    pub exists: i64,
    pub expunge: u64,
    pub search: u64,
    pub thread: u64,
    pub lit_bytes: u64,
    pub sizes: u64,
    pub bytes: u64,
    pub status_msgs: i64,
}

/// Return the number at the start, and how many digits it has.
pub fn number(text: &[u8]) -> (u64, usize) {
    let digits = text.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let value = text[..digits].iter().fold(0, |sum, octet| sum * 10 + (octet - b'0') as u64);
    (value, digits)
}

/// Return the size of the literal that follows a line.
pub fn literal(line: &[u8]) -> Option<u64> {
    if line.last() != Some(&b'}') {
        return None;
    }
    let start = line.iter().rposition(|octet| *octet == b'{')? + 1;
    let (size, digits) = number(&line[start..]);
    (digits > 0 && start + digits == line.len() - 1).then_some(size)
}

impl Answer {
    pub fn new() -> Answer {
        Answer { exists: -1, status_msgs: -1, ..Default::default() }
    }

    pub fn is_ok(&self) -> bool {
        self.status == "OK"
    }

    /// Count an untagged line, given without its star.
    pub fn untagged(&mut self, line: &[u8]) {
        let (first, digits) = number(line);
        let rest = &line[digits..];
        if rest.starts_with(b" FETCH") {
            self.fetch += 1
        } else if rest.starts_with(b" EXISTS") {
            self.exists = first as i64
        } else if rest.starts_with(b" EXPUNGE") {
            self.expunge += 1
        } else if rest.starts_with(b"SEARCH") || rest.starts_with(b"SORT") {
            self.search += numbers(rest)
        } else if rest.starts_with(b"THREAD") {
            self.thread += numbers(rest)
        } else if rest.starts_with(b"STATUS") {
            self.status_msgs = after(rest, b"MESSAGES ").map_or(-1, |count| count as i64)
        } else if rest.starts_with(b"BYE") {
            self.text = String::from_utf8_lossy(rest).into_owned()
        }
    }

    /// Count the sizes of messages in a line of FETCH.
    pub fn add_size(&mut self, line: &[u8]) {
        self.sizes += after(line, b"RFC822.SIZE ").unwrap_or(0)
    }

    /// Take the tagged line, given without its tag.
    pub fn tagged(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let (status, rest) = text.split_once(' ').unwrap_or((&text, ""));
        self.status = status.into();
        self.text = rest.into();
    }

    /// Return it as JSON, with what it cost.
    pub fn json(&self, seconds: f64, cpu: f64) -> String {
        let fields = [
            format!("\"status\":{},\"text\":{}", jstr(&self.status), jstr(&self.text)),
            format!("\"secs\":{:.6},\"client_cpu_us\":{:.0}", seconds, cpu),
            format!("\"fetch\":{},\"exists\":{}", self.fetch, self.exists),
            format!("\"expunge\":{},\"search\":{}", self.expunge, self.search),
            format!("\"thread\":{},\"lit_bytes\":{}", self.thread, self.lit_bytes),
            format!("\"sizes\":{},\"bytes\":{}", self.sizes, self.bytes),
            format!("\"status_msgs\":{}", self.status_msgs),
        ];
        format!("{{{}}}", fields.join(","))
    }
}

/// Return how many numbers are in a line.
fn numbers(line: &[u8]) -> u64 {
    line.split(|octet| !octet.is_ascii_digit()).filter(|word| !word.is_empty()).count() as u64
}

fn after(line: &[u8], name: &[u8]) -> Option<u64> {
    find(line, name).map(|at| number(&line[at + name.len()..]).0)
}
