//! How soon a connection in IDLE hears of a message (RFC 2177), once who brought it has the reply.
use crate::connection::{es, Conn, R};
use crate::imap::Imap;
use crate::messages::{message, Run};
use crate::smtp::{smtp_open, smtp_reply};
use crate::system::{cpu_us, give};
use crate::workload::{report, Args, Rng, Stats};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(100); // between two messages
const SIZE: usize = 4096; // octets of a message

/// What brings a message.
enum Way {
    Append(Imap),
    Smtp(Args),
    Drop(String),
}

/// Bring `total` messages `via` append, smtp or drop to user `u`, who has at least `min_exists`.
pub fn idle(a: &Args) -> bool {
    let (stats, cpu) = (Stats::new(), cpu_us());
    let began = Instant::now();
    if let Err(error) = run(a, &stats) {
        stats.err(error)
    }
    report(&stats, began.elapsed().as_secs_f64(), cpu, "")
}

fn run(a: &Args, stats: &Stats) -> R<()> {
    let mut imap = Imap::open(a, 65536)?;
    imap.login(a, a.n("u", 0))?;
    let mut exists = imap.ok("SELECT INBOX")?.exists;
    if exists < a.n("min_exists", 0) as i64 {
        return Err(format!("mailbox has only {} messages", exists));
    }
    imap.send(b"IDLE")?;
    imap.cont()?;
    let mut way = way(a)?;
    let texts = Run::new(a, SIZE, 3);
    for number in 0..a.n("total", 20) {
        std::thread::sleep(PAUSE);
        let text = message(&texts, number, SIZE, &recipient(a));
        let (came, last) = way.bring(a, &text)?;
        exists += 1;
        wait_for(&mut imap, exists)?;
        stats.done(1, 0, vec![came.elapsed().as_micros() as u32]);
        if let Some(c) = last {
            quit(c)?
        }
    }
    imap.c.send(b"DONE\r\n")?;
    imap.finish(false)?;
    imap.ok("LOGOUT").map(drop)
}

fn way(a: &Args) -> R<Way> {
    match a.s("via", "append").as_str() {
        "append" => {
            let mut imap = Imap::open(a, 16384)?;
            imap.login(a, a.n("u", 0))?;
            Ok(Way::Append(imap))
        }
        "drop" => Ok(Way::Drop(a.s("maildir", ""))),
        _ => {
            let mut args = a.clone();
            args.0.insert("port".into(), a.s("smtp_port", "25"));
            args.0.insert("tls".into(), "none".into());
            Ok(Way::Smtp(args))
        }
    }
}

fn recipient(a: &Args) -> String {
    a.s("rcpt", "").replace("{n}", &a.n("u", 0).to_string())
}

/// Wait until there are that many messages.
fn wait_for(imap: &mut Imap, exists: i64) -> R<()> {
    loop {
        let line = imap.c.line_str()?;
        if line.starts_with("* BYE") {
            return Err(line);
        }
        let number = line.strip_suffix(" EXISTS").and_then(|rest| rest.strip_prefix("* "));
        match number.map(|text| text.parse::<i64>()) {
            Some(Ok(now)) if now == exists => return Ok(()),
            Some(Ok(now)) if now > exists => {
                return Err(format!("EXISTS is {}, wanted {}", now, exists));
            }
            _ => continue,
        }
    }
}

impl Way {
    /// Bring a message; return when it had come, and the connection that is to be ended.
    ///
    /// That is when the reply was read: until then the server makes the message durable.
    fn bring(&mut self, a: &Args, text: &[u8]) -> R<(Instant, Option<Conn>)> {
        match self {
            Way::Append(imap) => {
                imap.tag += 1;
                let line = format!("a{} APPEND INBOX {{{}}}\r\n", imap.tag, text.len());
                imap.c.send(line.as_bytes())?;
                imap.cont()?;
                imap.c.send(&[text, b"\r\n"].concat())?;
                let answer = imap.finish(false)?;
                if !answer.is_ok() {
                    return Err(format!("APPEND: {}", answer.text));
                }
                Ok((Instant::now(), None))
            }
            Way::Smtp(args) => {
                let mut c = smtp_open(args, &mut Rng(5))?;
                let from = args.s("from", "sender@origin.test");
                for (command, code) in [
                    (format!("MAIL FROM:<{}>\r\n", from), 250),
                    (format!("RCPT TO:<{}>\r\n", recipient(a)), 250),
                    ("DATA\r\n".to_string(), 354),
                ] {
                    c.send(command.as_bytes())?;
                    smtp_reply(&mut c, code)?
                }
                c.send(&[text, b".\r\n"].concat())?;
                smtp_reply(&mut c, 250)?;
                Ok((Instant::now(), Some(c)))
            }
            Way::Drop(maildir) => Ok((drop_file(a, maildir, text)?, None)),
        }
    }
}

fn quit(mut c: Conn) -> R<()> {
    c.send(b"QUIT\r\n")?;
    smtp_reply(&mut c, 221)
}

/// Put a file into `new`, as another program would; return when it got its name there.
fn drop_file(a: &Args, maildir: &str, text: &[u8]) -> R<Instant> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let name = format!("{}.M1P1.bench", since.map_err(es("clock"))?.as_nanos());
    let (temporary, last) =
        (format!("{}/tmp/{}", maildir, name), format!("{}/new/{}", maildir, name));
    std::fs::write(&temporary, text).map_err(es("write"))?;
    if a.0.contains_key("uid") {
        give(&temporary, a.n("uid", 0) as u32, a.n("gid", 0) as u32)?
    }
    let began = Instant::now();
    std::fs::rename(&temporary, &last).map_err(es("rename"))?;
    Ok(began)
}
