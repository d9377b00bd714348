//! TLS connections that are opened and closed.
use crate::connection::{Conn, R};
use crate::system::cpu_us;
use crate::workload::{jstr, report, spawn, Args, Stats};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub fn tlsloop(a: &Args) -> bool {
    let st = Stats::new();
    let cpu0 = cpu_us();
    let conns = a.n("conns", 4);
    let dur = a.f("secs", 5.0);
    let t0 = Instant::now();
    let mut hs = vec![];
    let ver = Arc::new(Mutex::new(String::new()));
    for _ in 0..conns {
        let (a, st, ver) = (a.clone(), st.clone(), ver.clone());
        hs.push(spawn(move || {
            let mut lat = vec![];
            while t0.elapsed().as_secs_f64() < dur {
                let t = Instant::now();
                let r: R<()> = (|| {
                    let mut c = Conn::new(&a.addr(), true, 4096, 30)?;
                    let g = c.line_str()?;
                    if !(g.starts_with("* OK") || g.starts_with("220") || g.starts_with("+OK")) {
                        return Err(g);
                    }
                    let mut v = ver.lock().unwrap();
                    if v.is_empty() {
                        *v = c.tls_version()
                    }
                    drop(v);
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
                        if st.errors.load(SeqCst) > 5 {
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
    let v = ver.lock().unwrap().clone();
    report(&st, t0.elapsed().as_secs_f64(), cpu0, &format!(",\"tls\":{}", jstr(&v)))
}
