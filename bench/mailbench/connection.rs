//! A blocking connection, plain or over TLS, that is read by lines and literals.
use crate::system::*;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::raw::{c_int, c_void};
use std::os::unix::io::AsRawFd;
use std::time::Duration;

pub type R<T> = Result<T, String>;
pub fn es<E: std::fmt::Display>(w: &str) -> impl Fn(E) -> String + '_ {
    move |e| format!("{}: {}", w, e)
}

pub struct Conn {
    pub s: TcpStream,
    pub ssl: *mut c_void,
    pub buf: Vec<u8>,
    pub pos: usize,
    pub len: usize,
    pub total: u64,
}
unsafe impl Send for Conn {}
impl Drop for Conn {
    fn drop(&mut self) {
        if !self.ssl.is_null() {
            unsafe { SSL_free(self.ssl) }
        }
    }
}
impl Conn {
    pub fn new(addr: &str, tls: bool, bufsz: usize, timeout: u64) -> R<Conn> {
        let a = addr.to_socket_addrs().map_err(es("resolve"))?.next().ok_or("no address")?;
        let s = TcpStream::connect_timeout(&a, Duration::from_secs(20)).map_err(es("connect"))?;
        s.set_nodelay(true).ok();
        s.set_read_timeout(Some(Duration::from_secs(timeout))).ok();
        s.set_write_timeout(Some(Duration::from_secs(timeout))).ok();
        let mut c =
            Conn { s, ssl: std::ptr::null_mut(), buf: vec![0; bufsz], pos: 0, len: 0, total: 0 };
        if tls {
            c.handshake()?
        }
        Ok(c)
    }
    pub fn handshake(&mut self) -> R<()> {
        unsafe {
            let ssl = SSL_new(ctx());
            SSL_set_fd(ssl, self.s.as_raw_fd());
            self.ssl = ssl;
            let r = SSL_connect(ssl);
            if r != 1 {
                return Err(format!("TLS handshake failed ({})", SSL_get_error(ssl, r)));
            }
            if SSL_session_reused(ssl) != 0 {
                return Err("TLS session was resumed".into());
            }
        }
        Ok(())
    }
    pub fn tls_version(&self) -> String {
        if self.ssl.is_null() {
            return "none".into();
        }
        unsafe { std::ffi::CStr::from_ptr(SSL_get_version(self.ssl)).to_string_lossy().into() }
    }
    pub fn send(&mut self, b: &[u8]) -> R<()> {
        if self.ssl.is_null() {
            return self.s.write_all(b).map_err(es("write"));
        }
        let mut o = 0;
        while o < b.len() {
            let n = (b.len() - o).min(1 << 20);
            let r = unsafe { SSL_write(self.ssl, b[o..].as_ptr() as *const c_void, n as c_int) };
            if r <= 0 {
                return Err(format!("SSL_write {}", unsafe { SSL_get_error(self.ssl, r) }));
            }
            o += r as usize;
        }
        Ok(())
    }
    pub fn raw_read(&mut self) -> R<usize> {
        let (p, n) = (self.len, self.buf.len() - self.len);
        let r = if self.ssl.is_null() {
            loop {
                match self.s.read(&mut self.buf[p..]) {
                    Ok(k) => break k,
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(e) => return Err(format!("read: {}", e)),
                }
            }
        } else {
            let k = unsafe {
                SSL_read(self.ssl, self.buf[p..].as_mut_ptr() as *mut c_void, n as c_int)
            };
            if k <= 0 {
                let e = unsafe { SSL_get_error(self.ssl, k) };
                if e == 6 {
                    0
                } else {
                    return Err(format!("SSL_read error {}", e));
                }
            } else {
                k as usize
            }
        };
        if r == 0 {
            return Err("connection closed by server".into());
        }
        self.len += r;
        self.total += r as u64;
        Ok(r)
    }
    // next line without its CRLF; the range stays valid until the next call
    pub fn line(&mut self) -> R<(usize, usize)> {
        let mut scan = self.pos;
        loop {
            if let Some(i) = memchr(b'\n', &self.buf[scan..self.len]) {
                let start = self.pos;
                let mut end = scan + i;
                self.pos = end + 1;
                if end > start && self.buf[end - 1] == b'\r' {
                    end -= 1
                }
                return Ok((start, end));
            }
            if self.pos > 0 {
                self.buf.copy_within(self.pos..self.len, 0);
                self.len -= self.pos;
                self.pos = 0;
            }
            scan = self.len;
            if self.len == self.buf.len() {
                let n = self.buf.len() * 2;
                if n > 256 << 20 {
                    return Err("line too long".into());
                }
                self.buf.resize(n, 0)
            }
            self.raw_read()?;
        }
    }
    pub fn line_str(&mut self) -> R<String> {
        let (a, b) = self.line()?;
        Ok(String::from_utf8_lossy(&self.buf[a..b]).into_owned())
    }
    pub fn skip(&mut self, mut n: usize) -> R<()> {
        loop {
            let have = self.len - self.pos;
            if have >= n {
                self.pos += n;
                return Ok(());
            }
            n -= have;
            self.pos = 0;
            self.len = 0;
            self.raw_read()?;
        }
    }
    pub fn bye(&mut self) {
        if !self.ssl.is_null() {
            unsafe {
                SSL_shutdown(self.ssl);
            }
        }
    }
}
extern "C" {
    #[link_name = "memchr"]
    fn c_memchr(s: *const c_void, c: c_int, n: usize) -> *const c_void;
    fn memmem(h: *const c_void, hl: usize, n: *const c_void, nl: usize) -> *const c_void;
}
pub fn memchr(c: u8, h: &[u8]) -> Option<usize> {
    if h.is_empty() {
        return None;
    }
    unsafe {
        let p = c_memchr(h.as_ptr() as *const c_void, c as c_int, h.len());
        if p.is_null() {
            None
        } else {
            Some(p as usize - h.as_ptr() as usize)
        }
    }
}
pub fn find(h: &[u8], n: &[u8]) -> Option<usize> {
    if h.is_empty() {
        return None;
    }
    unsafe {
        let p = memmem(h.as_ptr() as *const c_void, h.len(), n.as_ptr() as *const c_void, n.len());
        if p.is_null() {
            None
        } else {
            Some(p as usize - h.as_ptr() as usize)
        }
    }
}
