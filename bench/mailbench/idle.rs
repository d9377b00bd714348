//! Connections in IDLE: how soon they hear of a message, and many that are held open.
use crate::connection::{es, Conn, R};
use crate::imap::{Imap, Resp};
use crate::messages::{message, Run};
use crate::smtp::{smtp_open, smtp_reply};
use crate::system::{cpu_us, give};
use crate::workload::{jstr, report, spawn, Args, Rng, Stats};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

// one client IDLEs; a message arrives by via=append | smtp | drop; time until "* n EXISTS"
pub fn idle(a: &Args) -> bool {
    let st = Stats::new();
    let cpu0 = cpu_us();
    let n = a.n("total", 20);
    let u = a.n("u", 0);
    let via = a.s("via", "append");
    let gap = a.n("gap_ms", 100);
    let r: R<f64> = (|| {
        let mut im = Imap::open(a, 65536)?;
        im.login(a, u)?;
        let ex = im.ok(&format!("SELECT {}", a.s("mailbox", "INBOX")))?.exists;
        if ex < a.n("min_exists", 0) as i64 {
            return Err(format!("mailbox has only {} messages", ex));
        }
        im.send(b"IDLE")?;
        im.cont()?;
        let run = Run::new(a, 4096, 3);
        let mut cur = ex;
        let mut rng = Rng(5);
        let mut w: Option<Imap> = None;
        if via == "append" {
            let mut x = Imap::open(a, 16384)?;
            x.login(a, u)?;
            w = Some(x)
        }
        let mut sa = a.clone();
        sa.0.insert("port".into(), a.s("smtp_port", "25"));
        sa.0.insert("tls".into(), "none".into());
        sa.0.insert("auth".into(), "0".into());
        let t00 = Instant::now();
        for i in 0..n {
            std::thread::sleep(Duration::from_millis(gap));
            let m = message(&run, i, 4096, &a.s("rcpt", "").replace("{n}", &u.to_string()));
            let t;
            let mut smtpc: Option<Conn> = None;
            if let Some(x) = &mut w {
                x.tag += 1;
                let h =
                    format!("a{} APPEND {} {{{}}}\r\n", x.tag, a.s("mailbox", "INBOX"), m.len());
                x.c.send(h.as_bytes())?;
                x.cont()?;
                let mut b = m.clone();
                b.extend(b"\r\n");
                t = Instant::now();
                x.c.send(&b)?;
            } else if via == "drop" {
                let d = a.s("maildir", "");
                let name = format!(
                    "{}.bench{}.x",
                    std::time::SystemTime::now()
                        .duration_since(std::time::UNIX_EPOCH)
                        .unwrap()
                        .as_nanos(),
                    i
                );
                let (p, q) = (format!("{}/tmp/{}", d, name), format!("{}/new/{}", d, name));
                std::fs::write(&p, &m).map_err(es("drop"))?;
                if a.0.contains_key("uid") {
                    give(&p, a.n("uid", 0) as u32, a.n("gid", 0) as u32)?
                }
                t = Instant::now();
                std::fs::rename(&p, &q).map_err(es("rename"))?;
            } else {
                let mut c = smtp_open(&sa, &mut rng)?;
                c.send(
                    format!("MAIL FROM:<{}>\r\n", a.s("from", "sender@origin.test")).as_bytes(),
                )?;
                smtp_reply(&mut c, 250)?;
                c.send(
                    format!(
                        "RCPT TO:<{}>\r\n",
                        a.s("rcpt", "u{n}@bench.test").replace("{n}", &u.to_string())
                    )
                    .as_bytes(),
                )?;
                smtp_reply(&mut c, 250)?;
                c.send(b"DATA\r\n")?;
                smtp_reply(&mut c, 354)?;
                let mut b = m.clone();
                b.extend(b".\r\n");
                t = Instant::now();
                c.send(&b)?;
                smtpc = Some(c);
            }
            // wait for EXISTS with a larger number
            loop {
                let l = im.c.line_str()?;
                let p: Vec<&str> = l.split(' ').collect();
                if p.len() == 3 && p[0] == "*" && p[2] == "EXISTS" {
                    let v: i64 = p[1].parse().unwrap_or(-1);
                    if v == cur + 1 {
                        cur = v;
                        break;
                    }
                    if v > cur + 1 {
                        return Err(format!("EXISTS jumped from {} to {}", cur, v));
                    }
                } else if l.starts_with("* BYE") {
                    return Err(l);
                }
            }
            st.lat.lock().unwrap().push(t.elapsed().as_micros() as u32);
            st.ops.fetch_add(1, SeqCst);
            if let Some(mut c) = smtpc {
                smtp_reply(&mut c, 250)?;
                c.send(b"QUIT\r\n")?;
                smtp_reply(&mut c, 221)?;
            }
            if let Some(x) = &mut w {
                let r = x.finish(false)?;
                if r.status != "OK" {
                    return Err(format!("append {}", r.text));
                }
            }
        }
        let secs = t00.elapsed().as_secs_f64();
        im.c.send(b"DONE\r\n")?;
        im.finish(false)?;
        im.ok("LOGOUT")?;
        Ok(secs)
    })();
    let secs = match r {
        Ok(s) => s,
        Err(e) => {
            st.err(e);
            1.0
        }
    };
    report(&st, secs, cpu0, "")
}
// open conns, LOGIN, SELECT, IDLE (or not), then wait for a line on stdin
pub fn hold(a: &Args) -> bool {
    let st = Stats::new();
    let cpu0 = cpu_us();
    let n = a.n("conns", 1000);
    let par = 20u64;
    let idle = a.n("idle", 1) == 1;
    let pop = a.s("proto", "imap") == "pop3";
    let next = Arc::new(AtomicUsize::new(0));
    let keep: Arc<Mutex<Vec<Imap>>> = Arc::new(Mutex::new(vec![]));
    let t0 = Instant::now();
    let mut hs = vec![];
    let _ = pop;
    for _ in 0..par {
        let (a, st, next, keep) = (a.clone(), st.clone(), next.clone(), keep.clone());
        hs.push(spawn(move || loop {
            let i = next.fetch_add(1, SeqCst) as u64;
            if i >= n {
                break;
            }
            let lo = a.n("ulo", 0);
            let span = a.n("uhi", 199) - lo + 1;
            let r: R<Imap> = (|| {
                let mut im = Imap::open(&a, 2048)?;
                im.login(&a, lo + i % span)?;
                im.ok("SELECT INBOX")?;
                if idle {
                    im.send(b"IDLE")?;
                    im.cont()?
                }
                Ok(im)
            })();
            match r {
                Ok(im) => {
                    st.ops.fetch_add(1, SeqCst);
                    keep.lock().unwrap().push(im)
                }
                Err(e) => {
                    st.err(e);
                    break;
                }
            }
        }));
    }
    for h in hs {
        h.join().ok();
    }
    let secs = t0.elapsed().as_secs_f64();
    println!(
        "{{\"ready\":true,\"conns\":{},\"errors\":{},\"first_error\":{}}}",
        st.ops.load(SeqCst),
        st.errors.load(SeqCst),
        jstr(&st.first_err.lock().unwrap())
    );
    std::io::stdout().flush().ok();
    let mut s = String::new();
    std::io::stdin().read_line(&mut s).ok();
    // still alive? a sample of ten
    let mut k = keep.lock().unwrap();
    if idle {
        let len = k.len();
        let step = (len / 10).max(1);
        let mut i = 0;
        while i < len {
            let r: R<Resp> = (|| {
                let im = &mut k[i];
                im.c.send(b"DONE\r\n")?;
                im.finish(false)
            })();
            match r {
                Ok(r) if r.status == "OK" => {}
                Ok(r) => st.err(r.text),
                Err(e) => st.err(format!("held connection died: {}", e)),
            }
            i += step
        }
    }
    report(&st, secs, cpu0, "")
}
