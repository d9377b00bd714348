//! Many IMAP connections: one command again and again, or whole sessions.
use crate::connection::R;
use crate::imap::Imap;
use crate::system::cpu_us;
use crate::workload::{report, spawn, Args, Rng, Stats};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Instant;

// connections that repeat one command: NOOP, FETCH {r} ..., {r} = random message number, {s} = + or - by chance
pub fn imaploop(a: &Args) -> bool {
    let st = Stats::new();
    let conns = a.n("conns", 1);
    let dur = a.f("secs", 4.0);
    let maxops = a.n("total", u64::MAX);
    let cmd = a.s("cmd", "NOOP");
    let mbx = a.s("mailbox", "INBOX");
    let bar = Arc::new(Barrier::new(conns as usize + 1));
    let next = Arc::new(AtomicU64::new(0));
    let mut hs = vec![];
    for k in 0..conns {
        let (a, st, bar, cmd, mbx, next) =
            (a.clone(), st.clone(), bar.clone(), cmd.clone(), mbx.clone(), next.clone());
        hs.push(spawn(move || {
            let mut rng = Rng(77 + k * 7919);
            let lo = a.n("ulo", 0);
            let span = a.n("uhi", 199) - lo + 1;
            let pre: R<(Imap, u64)> = (|| {
                let mut im = Imap::open(&a, 65536)?;
                im.login(&a, lo + k % span)?;
                let r = im.ok(&format!("SELECT {}", mbx))?;
                Ok((im, r.exists.max(0) as u64))
            })();
            bar.wait();
            bar.wait();
            let (mut im, ex) = match pre {
                Ok(x) => x,
                Err(e) => {
                    st.err(e);
                    return;
                }
            };
            let t0 = Instant::now();
            let mut lat = vec![];
            let want_fetch = cmd.contains("FETCH");
            let mut bytes = 0;
            let (mut n, mut bad) = (0u64, None);
            while t0.elapsed().as_secs_f64() < dur && next.fetch_add(1, SeqCst) < maxops {
                let c = if cmd.contains("{r}") {
                    cmd.replace("{r}", &(1 + rng.below(ex)).to_string())
                        .replace("{s}", if rng.below(2) == 0 { "+" } else { "-" })
                } else {
                    cmd.clone()
                };
                let t = Instant::now();
                match im.run(c.as_bytes(), false) {
                    Ok(r) if r.status == "OK" && (!want_fetch || r.fetch == 1) => {
                        n += 1;
                        bytes += r.bytes;
                        lat.push(t.elapsed().as_micros() as u32)
                    }
                    Ok(r) => {
                        bad = Some(format!("{}: {} {} ({} FETCH)", c, r.status, r.text, r.fetch));
                        break;
                    }
                    Err(e) => {
                        bad = Some(e);
                        break;
                    }
                }
            }
            st.ops.fetch_add(n, SeqCst);
            st.bytes.fetch_add(bytes, SeqCst);
            st.lat.lock().unwrap().extend(lat);
            if let Some(e) = bad {
                st.err(e)
            } else {
                im.ok("LOGOUT").ok();
                im.c.bye();
            }
        }));
    }
    bar.wait();
    // the driver samples the server's CPU here, after all the logins
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
    report(&st, secs, cpu0, "")
}
// connect, LOGIN, SELECT, LOGOUT
pub fn imapsess(a: &Args) -> bool {
    let st = Stats::new();
    let cpu0 = cpu_us();
    let conns = a.n("conns", 10);
    let dur = a.f("secs", 5.0);
    let total = a.n("total", u64::MAX);
    let sel = a.n("select", 1) == 1;
    let next = Arc::new(AtomicU64::new(0));
    let t0 = Instant::now();
    let mut hs = vec![];
    for k in 0..conns {
        let (a, st, next) = (a.clone(), st.clone(), next.clone());
        hs.push(spawn(move || {
            let mut rng = Rng(1234567 + k * 104729);
            let mut lat = vec![];
            while t0.elapsed().as_secs_f64() < dur && next.fetch_add(1, SeqCst) < total {
                let t = Instant::now();
                let r: R<()> = (|| {
                    let mut im = Imap::open(&a, 8192)?;
                    im.login(&a, a.pick(&mut rng))?;
                    if sel {
                        let r = im.ok("SELECT INBOX")?;
                        if r.exists < a.n("min_exists", 0) as i64 {
                            return Err(format!("only {} messages", r.exists));
                        }
                    }
                    im.ok("LOGOUT")?;
                    im.c.bye();
                    Ok(())
                })();
                match r {
                    Ok(()) => {
                        st.ops.fetch_add(1, SeqCst);
                        lat.push(t.elapsed().as_micros() as u32)
                    }
                    Err(e) => {
                        st.err(e);
                        if st.errors.load(SeqCst) > 10 {
                            break;
                        }
                    }
                }
            }
            st.lat.lock().unwrap().extend(lat);
        }));
    }
    for h in hs {
        h.join().ok();
    }
    report(&st, t0.elapsed().as_secs_f64(), cpu0, "")
}
