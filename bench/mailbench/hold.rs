//! Many connections in IDLE that are held open, so that the driver can weigh the server.
use crate::connection::R;
use crate::imap::Imap;
use crate::system::cpu_us;
use crate::workload::{jstr, report, sessions_of, wait_for_line, Args, Stats};
use std::io::Write;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

const AT_A_TIME: u64 = 20; // logins
const SAMPLE: usize = 10; // connections that must have lived at the end

/// Open `conns` connections, hold them until a line comes, and look whether they have lived.
pub fn hold(a: &Args) -> bool {
    let (stats, cpu, began) = (Stats::new(), cpu_us(), Instant::now());
    let mut held = sessions_of(AT_A_TIME, a.n("conns", 1000), a, &stats, idling);
    let seconds = began.elapsed().as_secs_f64();
    let first = jstr(&stats.first_err.lock().unwrap());
    let errors = stats.errors.load(SeqCst);
    let more = format!("\"errors\":{},\"first_error\":{}", errors, first);
    println!("{{\"ready\":true,\"conns\":{},{}}}", held.len(), more);
    std::io::stdout().flush().ok();
    wait_for_line();
    let step = (held.len() / SAMPLE).max(1);
    for imap in held.iter_mut().step_by(step) {
        if let Err(error) = done(imap) {
            stats.err(format!("a held connection: {}", error))
        }
    }
    stats.done(held.len() as u64, 0, vec![]);
    report(&stats, seconds, cpu, "")
}

fn idling(a: &Args, number: u64) -> R<Imap> {
    let (first, all) = a.users();
    let mut imap = Imap::open(a, 2048)?;
    imap.login(a, first + number % all)?;
    imap.ok("SELECT INBOX")?;
    imap.send(b"IDLE")?;
    imap.cont()?;
    Ok(imap)
}

fn done(imap: &mut Imap) -> R<()> {
    imap.c.send(b"DONE\r\n")?;
    let answer = imap.finish(false)?;
    if answer.is_ok() {
        Ok(())
    } else {
        Err(answer.text)
    }
}
