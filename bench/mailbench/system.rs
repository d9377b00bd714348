//! What the standard library lacks: TLS (by the system's libssl), CPU time, the owner of a file.
use std::os::raw::{c_char, c_int, c_long, c_void};
use std::sync::Once;

#[link(name = "ssl")]
extern "C" {
    pub fn TLS_client_method() -> *const c_void;
    pub fn SSL_CTX_new(m: *const c_void) -> *mut c_void;
    pub fn SSL_CTX_ctrl(c: *mut c_void, cmd: c_int, l: c_long, p: *mut c_void) -> c_long;
    pub fn SSL_new(c: *mut c_void) -> *mut c_void;
    pub fn SSL_set_fd(s: *mut c_void, fd: c_int) -> c_int;
    pub fn SSL_connect(s: *mut c_void) -> c_int;
    pub fn SSL_read(s: *mut c_void, b: *mut c_void, n: c_int) -> c_int;
    pub fn SSL_write(s: *mut c_void, b: *const c_void, n: c_int) -> c_int;
    pub fn SSL_get_error(s: *mut c_void, r: c_int) -> c_int;
    pub fn SSL_free(s: *mut c_void);
    pub fn SSL_shutdown(s: *mut c_void) -> c_int;
    pub fn SSL_session_reused(s: *mut c_void) -> c_int;
}
#[link(name = "crypto")]
extern "C" {}

#[repr(C)]
struct Rusage {
    user: [i64; 2],
    system: [i64; 2],
    _rest: [i64; 14],
}
extern "C" {
    fn getrusage(who: c_int, r: *mut Rusage) -> c_int;
    fn chown(path: *const c_char, owner: u32, group: u32) -> c_int;
}

/// Make a file another user's.
pub fn give(path: &str, owner: u32, group: u32) -> Result<(), String> {
    let name = std::ffi::CString::new(path).map_err(|error| error.to_string())?;
    match unsafe { chown(name.as_ptr(), owner, group) } {
        0 => Ok(()),
        _ => Err(format!("chown: {}", std::io::Error::last_os_error())),
    }
}

/// Microseconds of processor that this process has used.
pub fn cpu_us() -> f64 {
    unsafe {
        let mut used: Rusage = std::mem::zeroed();
        getrusage(0, &mut used);
        (used.user[0] + used.system[0]) as f64 * 1e6 + (used.user[1] + used.system[1]) as f64
    }
}

static START: Once = Once::new();
static mut CONTEXT: *mut c_void = std::ptr::null_mut();

/// The one context, which keeps no sessions: each connection is a full handshake.
pub fn ctx() -> *mut c_void {
    const SET_SESSION_CACHE_MODE: c_int = 44;
    const SET_MODE: c_int = 33;
    const AUTO_RETRY: c_long = 4;
    unsafe {
        START.call_once(|| {
            let made = SSL_CTX_new(TLS_client_method());
            SSL_CTX_ctrl(made, SET_SESSION_CACHE_MODE, 0, std::ptr::null_mut());
            SSL_CTX_ctrl(made, SET_MODE, AUTO_RETRY, std::ptr::null_mut());
            CONTEXT = made;
        });
        CONTEXT
    }
}
