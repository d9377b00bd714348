//! The messages that are sent, and the count of files that have arrived.
use crate::workload::{Args, Rng};

const WORDS: &str =
    "the of quarterly report please find attached meeting tomorrow server delivery \
    invoice project update regards schedule customer release question answer draft review budget \
    travel ticket order payment notes agenda summary deadline thanks";
/// How the line of a message begins that identifies it; its run follows.
pub const MESSAGE_ID: &[u8] = b"Message-ID: <";
const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const ATTACHMENT: usize = 200_000; // octets from which on a body looks like base64

/// What is the same in all messages of a run.
pub struct Run {
    pub name: String,
    pub sender: String,
    pub template: Vec<u8>,
}

impl Run {
    pub fn new(a: &Args, size: usize, seed: u64) -> Run {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Run {
            name: format!("r{}", since.unwrap().as_micros()),
            sender: a.s("from", "sender@origin.test"),
            template: body_template(size, seed),
        }
    }
}

/// Return a body in lines, which is the same for the same seed.
fn body_template(size: usize, seed: u64) -> Vec<u8> {
    let mut chance = Rng(seed | 1);
    let mut body = Vec::with_capacity(size + 80);
    if size > ATTACHMENT {
        while body.len() + 78 <= size {
            body.extend((0..76).map(|_| DIGITS[(chance.next() >> 20) as usize % 64]));
            body.extend(b"\r\n")
        }
    } else {
        write_words(&mut body, size, &mut chance)
    }
    while body.len() + 2 < size {
        body.push(b'x');
        if body.len() % 70 == 0 && body.len() + 4 < size {
            body.extend(b"\r\n")
        }
    }
    body.extend(b"\r\n");
    body
}

fn write_words(body: &mut Vec<u8>, size: usize, chance: &mut Rng) {
    let words: Vec<&str> = WORDS.split(' ').collect();
    let mut column = 0;
    while body.len() + 20 < size {
        let word = words[chance.below(32) as usize];
        body.extend(word.as_bytes());
        column += word.len() + 1;
        if column > 64 {
            body.extend(b"\r\n");
            column = 0
        } else {
            body.push(b' ')
        }
    }
}

/// Return a whole message of `size` octets, with a Message-ID of its own for each run and number.
pub fn message(run: &Run, number: u64, size: usize, recipient: &str) -> Vec<u8> {
    let (mut text, template) = (header(run, number, recipient).into_bytes(), &run.template);
    let rest = size.saturating_sub(text.len()).min(template.len()).max(2);
    text.extend(&template[..rest]);
    // It must end with CRLF and have no other half of one before, wherever the template was cut.
    let end = text.len();
    text[end - 2..].copy_from_slice(b"\r\n");
    if text[end - 3] == b'\n' && text[end - 4] == b'\r' {
        text[end - 4] = b'x'
    }
    if text[end - 3] == b'\r' || text[end - 3] == b'\n' {
        text[end - 3] = b'x'
    }
    text
}

fn header(run: &Run, number: u64, recipient: &str) -> String {
    let date = format!("Tue, 14 Jul 2026 10:{:02}:{:02} +0000", number / 60 % 60, number % 60);
    let word = |at: u64| WORDS.split(' ').nth((at % 32) as usize).unwrap();
    let trace = format!("from client.bench.test ([192.0.2.{}])", number % 250 + 1);
    [
        format!("Received: {} by mx.bench.test with ESMTP;\r\n\t{}\r\n", trace, date),
        format!("Date: {}\r\n", date),
        format!("From: \"Sender Number {}\" <{}>\r\n", number % 97, run.sender),
        format!("To: <{}>\r\n", recipient),
        format!("Subject: {} {} number {}\r\n", word(number), word(number / 32), number),
        format!("Message-ID: <{}.{}@bench.test>\r\nMIME-Version: 1.0\r\n", run.name, number),
        "Content-Type: text/plain; charset=us-ascii\r\n".into(),
        "Content-Transfer-Encoding: 7bit\r\nX-Mailer: mailbench\r\n\r\n".into(),
    ]
    .concat()
}

/// Count the messages in `count_dirs` (with `{n}` for the user) of all users.
pub fn count_files(a: &Args) -> u64 {
    let patterns = a.s("count_dirs", "");
    let users = || a.n("ulo", 0)..=a.n("uhi", 199);
    let folders = patterns.split(',').filter(|one| !one.is_empty());
    folders.flat_map(|one| users().map(move |n| count(&one.replace("{n}", &n.to_string())))).sum()
}

fn count(folder: &str) -> u64 {
    let is_message = |entry: &std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        !name.starts_with('.') && !name.starts_with("dovecot")
    };
    match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().filter(is_message).count() as u64,
        Err(_) => 0, // there is no such mailbox yet
    }
}
