//! POP3: a whole maildrop fetched, and logins.
use crate::connection::{Conn, R};
use crate::system::cpu_us;
use crate::workload::{report, spawn, Args, Rng, Stats};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

pub fn pop_line(c: &mut Conn) -> R<String> {
    let l = c.line_str()?;
    if !l.starts_with("+OK") {
        return Err(format!("POP3: {}", l));
    }
    Ok(l)
}
pub fn pop_multi(c: &mut Conn) -> R<(u64, u64)> {
    // lines, bytes (undotted, with CRLF)
    let l = c.line()?;
    if !c.buf[l.0..l.1].starts_with(b"+OK") {
        return Err(format!("POP3: {}", String::from_utf8_lossy(&c.buf[l.0..l.1])));
    }
    let (mut n, mut b) = (0, 0);
    loop {
        let (x, y) = c.line()?;
        if y - x == 1 && c.buf[x] == b'.' {
            return Ok((n, b));
        }
        n += 1;
        b += (y - x + 2) as u64;
        if y > x && c.buf[x] == b'.' {
            b -= 1
        }
    }
}
pub fn pop_open(a: &Args, u: u64) -> R<Conn> {
    let mut c = Conn::new(&a.addr(), a.tls(), 1 << 17, 120)?;
    pop_line(&mut c)?;
    c.send(format!("USER {}\r\n", a.user(u)).as_bytes())?;
    pop_line(&mut c)?;
    c.send(format!("PASS {}\r\n", a.pass(u)).as_bytes())?;
    pop_line(&mut c)?;
    Ok(c)
}
pub fn pop3get(a: &Args) -> bool {
    // login STAT UIDL RETR 1..n QUIT
    let st = Stats::new();
    let cpu0 = cpu_us();
    let pipe = a.n("pipe", 0);
    let t0 = Instant::now();
    let r: R<()> = (|| {
        let mut c = pop_open(a, a.n("u", 0))?;
        c.send(b"STAT\r\n")?;
        let l = pop_line(&mut c)?;
        let p: Vec<&str> = l.split(' ').collect();
        let n: u64 = p.get(1).and_then(|x| x.parse().ok()).ok_or("STAT")?;
        let size: u64 = p.get(2).and_then(|x| x.parse().ok()).ok_or("STAT")?;
        if a.0.contains_key("want") && n != a.n("want", 0) {
            return Err(format!("STAT says {} messages", n));
        }
        c.send(b"UIDL\r\n")?;
        let (k, _) = pop_multi(&mut c)?;
        if k != n {
            return Err(format!("UIDL gave {} of {}", k, n));
        }
        let (mut got, mut sent, mut bytes) = (0u64, 0u64, 0u64);
        let mut lat = vec![];
        while got < n {
            let mut q = String::new();
            while sent < n && sent - got < pipe.max(1) {
                sent += 1;
                q += &format!("RETR {}\r\n", sent)
            }
            let t = Instant::now();
            if !q.is_empty() {
                c.send(q.as_bytes())?
            }
            let (_, b) = pop_multi(&mut c)?;
            bytes += b;
            got += 1;
            lat.push(t.elapsed().as_micros() as u32)
        }
        if bytes != size {
            return Err(format!("STAT said {} octets but RETR gave {}", size, bytes));
        }
        if a.0.contains_key("want_bytes") && bytes != a.n("want_bytes", 0) {
            return Err(format!("{} octets, {} wanted", bytes, a.n("want_bytes", 0)));
        }
        c.send(b"QUIT\r\n")?;
        pop_line(&mut c)?;
        st.ops.fetch_add(n, SeqCst);
        st.bytes.fetch_add(bytes, SeqCst);
        st.lat.lock().unwrap().extend(lat);
        Ok(())
    })();
    if let Err(e) = r {
        st.err(e)
    }
    let secs = t0.elapsed().as_secs_f64();
    let mb = st.bytes.load(SeqCst) as f64 / secs / 1e6;
    report(&st, secs, cpu0, &format!(",\"mb_s\":{:.3}", mb))
}
pub fn pop3sess(a: &Args) -> bool {
    let st = Stats::new();
    let cpu0 = cpu_us();
    let conns = a.n("conns", 10);
    let dur = a.f("secs", 5.0);
    let t0 = Instant::now();
    let mut hs = vec![];
    // POP3 locks the maildrop: every connection keeps to its own users
    for k in 0..conns {
        let (a, st) = (a.clone(), st.clone());
        hs.push(spawn(move || {
            let mut rng = Rng(99 + k * 31337);
            let mut lat = vec![];
            let lo = a.n("ulo", 0);
            let span = a.n("uhi", 199) - lo + 1;
            let mine = span / conns;
            while t0.elapsed().as_secs_f64() < dur {
                let t = Instant::now();
                let u = lo + k * mine + rng.below(mine);
                let r: R<()> = (|| {
                    let mut c = pop_open(&a, u)?;
                    c.send(b"QUIT\r\n")?;
                    pop_line(&mut c)?;
                    c.bye();
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
            st.lat.lock().unwrap().extend(lat)
        }));
    }
    for h in hs {
        h.join().ok();
    }
    report(&st, t0.elapsed().as_secs_f64(), cpu0, "")
}
