//! APPEND, with literals that wait, that do not, and many messages in one.
use crate::connection::R;
use crate::imap::Imap;
use crate::messages::{message, Run};
use crate::system::cpu_us;
use crate::workload::{jstr, report, spawn, Args, Stats};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Instant;

// APPEND: mode=sync | plus (LITERAL+) | multi (MULTIAPPEND of `batch`)
pub fn imapappend(a: &Args) -> bool {
    let st = Stats::new();
    let conns = a.n("conns", 1);
    let total = a.n("total", 500);
    let dur = a.f("maxs", 8.0);
    let mode = a.s("mode", "sync");
    let batch = if mode == "multi" { a.n("batch", 20) } else { 1 };
    let size = a.n("size", 4096) as usize;
    let mbx = a.s("mailbox", "INBOX");
    let run = Arc::new(Run::new(a, size, 7));
    let next = Arc::new(AtomicU64::new(0));
    let lo = a.n("ulo", 0);
    let span = a.n("uhi", 199) - lo + 1;
    let messages = |when: &str| -> R<u64> {
        let mut t = 0;
        for u in lo..lo + span.min(conns) {
            let mut im = Imap::open(a, 8192)?;
            im.login(a, u)?;
            if when == "before" && mbx != "INBOX" {
                im.run(format!("CREATE {}", mbx).as_bytes(), false)?;
            }
            let r = im.ok(&format!("STATUS {} (MESSAGES)", mbx))?;
            if r.status_msgs < 0 {
                return Err("no STATUS".into());
            }
            t += r.status_msgs as u64;
            im.ok("LOGOUT")?;
        }
        Ok(t)
    };
    let before = match messages("before") {
        Ok(x) => x,
        Err(e) => {
            println!("{{\"errors\":1,\"first_error\":{}}}", jstr(&e));
            return false;
        }
    };
    let bar = Arc::new(Barrier::new(conns as usize + 1));
    let mut hs = vec![];
    for k in 0..conns {
        let (a, st, next, run, bar, mode, mbx) = (
            a.clone(),
            st.clone(),
            next.clone(),
            run.clone(),
            bar.clone(),
            mode.clone(),
            mbx.clone(),
        );
        hs.push(spawn(move || {
            let pre: R<Imap> = (|| {
                let mut im = Imap::open(&a, 16384)?;
                im.login(&a, lo + k % span)?;
                im.ok("NOOP")?;
                if mode != "sync" && !(im.caps.contains("LITERAL+") || im.caps.contains("LITERAL-"))
                {
                    return Err("no LITERAL+ offered".into());
                }
                if mode == "multi" && !im.caps.contains("MULTIAPPEND") {
                    return Err("no MULTIAPPEND offered".into());
                }
                Ok(im)
            })();
            bar.wait();
            bar.wait();
            let mut im = match pre {
                Ok(x) => x,
                Err(e) => {
                    st.err(e);
                    return;
                }
            };
            let t0 = Instant::now();
            let mut lat = vec![];
            loop {
                let base = next.fetch_add(batch, SeqCst);
                if base >= total || t0.elapsed().as_secs_f64() > dur {
                    break;
                }
                let t = Instant::now();
                let n = batch.min(total - base);
                let r: R<u64> = (|| {
                    let mut bytes = 0;
                    let mut buf: Vec<u8> = vec![];
                    im.tag += 1;
                    buf.extend(format!("a{} APPEND {}", im.tag, mbx).as_bytes());
                    for i in 0..n {
                        let m = message(&run, base + i, size, "me@bench.test");
                        bytes += m.len() as u64;
                        if mode == "sync" {
                            buf.extend(format!(" (\\Seen) {{{}}}\r\n", m.len()).as_bytes());
                            im.c.send(&buf)?;
                            buf.clear();
                            im.cont()?;
                        } else {
                            buf.extend(format!(" (\\Seen) {{{}+}}\r\n", m.len()).as_bytes())
                        }
                        buf.extend(&m);
                    }
                    buf.extend(b"\r\n");
                    im.c.send(&buf)?;
                    let r = im.finish(false)?;
                    if r.status != "OK" {
                        return Err(format!("APPEND: {} {}", r.status, r.text));
                    }
                    Ok(bytes)
                })();
                match r {
                    Ok(b) => {
                        lat.push(t.elapsed().as_micros() as u32);
                        st.ops.fetch_add(n, SeqCst);
                        st.bytes.fetch_add(b, SeqCst);
                    }
                    Err(e) => {
                        st.err(e);
                        return;
                    }
                }
            }
            st.lat.lock().unwrap().extend(lat);
            im.ok("LOGOUT").ok();
            im.c.bye();
        }));
    }
    bar.wait();
    println!("{{\"ready\":true}}");
    std::io::stdout().flush().ok();
    if a.n("wait", 0) == 1 {
        let mut s = String::new();
        std::io::stdin().read_line(&mut s).ok();
    }
    let cpu0 = cpu_us();
    let t0 = Instant::now();
    bar.wait();
    for h in hs {
        h.join().ok();
    }
    let secs = t0.elapsed().as_secs_f64();
    let cpu1 = cpu_us() - cpu0;
    match messages("after") {
        Ok(x) => {
            if x.wrapping_sub(before) != st.ops.load(SeqCst) {
                st.err(format!(
                    "appended {} but the mailboxes grew by {}",
                    st.ops.load(SeqCst),
                    x as i64 - before as i64
                ))
            }
        }
        Err(e) => st.err(e),
    }
    report(&st, secs, cpu0, &format!(",\"client_cpu_accept_us\":{:.0}", cpu1))
}
