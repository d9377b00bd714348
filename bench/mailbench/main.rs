//! A load generator for SMTP, submission, POP3 and IMAP servers: `mailbench WORKLOAD key=value ...`.
//!
//! Only the standard library and the system's libssl. Blocking sockets and a small thread for each
//! connection: on loopback a request costs the client two system calls. Every answer is checked;
//! each workload prints a line of JSON, and `errors` above zero makes the exit status 2. Workloads
//! with `wait=1` print `{"ready":true}` after their logins and go on at a line on standard input.
mod answer;
mod append;
mod commands;
mod connection;
mod hold;
mod idle;
mod imap;
mod messages;
mod pop3;
mod sessions;
mod sink;
mod smtp;
mod system;
mod workload;

use workload::Args;

fn workload(name: &str) -> Option<fn(&Args) -> bool> {
    Some(match name {
        "smtp" => smtp::smtp,
        "sink" => sink::sink,
        "imapcmds" => imap::imapcmds,
        "imaploop" => commands::imaploop,
        "imapsess" => sessions::imap,
        "imapappend" => append::imapappend,
        "idle" => idle::idle,
        "hold" => hold::hold,
        "tls" => sessions::handshake,
        "pop3get" => pop3::pop3get,
        "pop3sess" => sessions::pop3,
        _ => return None,
    })
}

fn main() {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let args = Args::new(words);
    let is_right = match workload(&name) {
        Some(run) => run(&args),
        None => {
            eprintln!(
                "smtp sink imapcmds imaploop imapsess imapappend idle hold tls pop3get pop3sess"
            );
            false
        }
    };
    std::process::exit(if is_right { 0 } else { 2 });
}
