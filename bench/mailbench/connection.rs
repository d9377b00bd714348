//! A blocking connection, plain or over TLS, that is read by lines and literals.
use crate::system::*;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::ops::Range;
use std::os::raw::{c_int, c_void};
use std::os::unix::io::AsRawFd;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(20);
const MAX_LINE: usize = 256 << 20; // octets
const MAX_WRITE: usize = 1 << 20; // octets for SSL_write at a time
const ZERO_RETURN: c_int = 6; // SSL_ERROR_ZERO_RETURN: the peer has said goodbye

pub type R<T> = Result<T, String>;

/// Return a function that puts a word before an error.
pub fn es<E: std::fmt::Display>(word: &str) -> impl Fn(E) -> String + '_ {
    move |error| format!("{}: {}", word, error)
}

/// What was read and not yet used is `buf[pos..len]`; `total` counts all octets that were read.
pub struct Conn {
    socket: TcpStream,
    ssl: *mut c_void,
    pub buf: Vec<u8>,
    pos: usize,
    len: usize,
    total: u64,
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
    /// Connect; `size` is that of the buffer at first, `timeout` seconds are for each read and write.
    pub fn new(address: &str, tls: bool, size: usize, timeout: u64) -> R<Conn> {
        let first = address.to_socket_addrs().map_err(es("resolve"))?.next();
        let socket = TcpStream::connect_timeout(&first.ok_or("no address")?, CONNECT);
        let mut made = Conn::over(socket.map_err(es("connect"))?, size, timeout)?;
        if tls {
            made.handshake()?
        }
        Ok(made)
    }

    /// Use a socket that is connected.
    pub fn over(socket: TcpStream, size: usize, timeout: u64) -> R<Conn> {
        let timeout = Some(Duration::from_secs(timeout));
        socket.set_nodelay(true).map_err(es("nodelay"))?;
        socket.set_read_timeout(timeout).map_err(es("timeout"))?;
        socket.set_write_timeout(timeout).map_err(es("timeout"))?;
        let (ssl, buf) = (std::ptr::null_mut(), vec![0; size]);
        Ok(Conn { socket, ssl, buf, pos: 0, len: 0, total: 0 })
    }

    /// Begin TLS, as a client.
    pub fn handshake(&mut self) -> R<()> {
        unsafe {
            self.ssl = SSL_new(ctx());
            SSL_set_fd(self.ssl, self.socket.as_raw_fd());
            let done = SSL_connect(self.ssl);
            if done != 1 {
                return Err(format!("TLS handshake: {}", SSL_get_error(self.ssl, done)));
            }
            if SSL_session_reused(self.ssl) != 0 {
                return Err("TLS session was resumed".into());
            }
        }
        Ok(())
    }

    pub fn send(&mut self, octets: &[u8]) -> R<()> {
        if self.ssl.is_null() {
            return self.socket.write_all(octets).map_err(es("write"));
        }
        for piece in octets.chunks(MAX_WRITE) {
            let start = piece.as_ptr() as *const c_void;
            let done = unsafe { SSL_write(self.ssl, start, piece.len() as c_int) };
            if done <= 0 {
                return Err(format!("SSL_write: {}", unsafe { SSL_get_error(self.ssl, done) }));
            }
        }
        Ok(())
    }

    /// Read what is there, or wait for it.
    fn read(&mut self) -> R<()> {
        let free = &mut self.buf[self.len..];
        let number = if self.ssl.is_null() {
            self.socket.read(free).map_err(es("read"))?
        } else {
            tls_read(self.ssl, free)?
        };
        if number == 0 {
            return Err("connection closed by the other side".into());
        }
        self.len += number;
        self.total += number as u64;
        Ok(())
    }

    /// Return where in `buf` the next line is, without its end; it stays there until the next call.
    pub fn line(&mut self) -> R<(usize, usize)> {
        let mut scanned = self.pos;
        loop {
            if let Some(at) = memchr(b'\n', &self.buf[scanned..self.len]) {
                let Range { start, mut end } = self.pos..scanned + at;
                self.pos = end + 1;
                if end > start && self.buf[end - 1] == b'\r' {
                    end -= 1
                }
                return Ok((start, end));
            }
            self.make_room()?;
            scanned = self.len;
            self.read()?;
        }
    }

    fn make_room(&mut self) -> R<()> {
        self.buf.copy_within(self.pos..self.len, 0);
        self.len -= self.pos;
        self.pos = 0;
        if self.len == self.buf.len() {
            if self.len > MAX_LINE {
                return Err("line too long".into());
            }
            self.buf.resize(2 * self.len, 0)
        }
        Ok(())
    }

    pub fn line_str(&mut self) -> R<String> {
        let (start, end) = self.line()?;
        Ok(String::from_utf8_lossy(&self.buf[start..end]).into_owned())
    }

    /// Return whether a whole line was read already.
    pub fn has_line(&self) -> bool {
        memchr(b'\n', &self.buf[self.pos..self.len]).is_some()
    }

    /// Read that many octets and forget them.
    pub fn skip(&mut self, mut number: usize) -> R<()> {
        while number > self.len - self.pos {
            number -= self.len - self.pos;
            self.pos = 0;
            self.len = 0;
            self.read()?;
        }
        self.pos += number;
        Ok(())
    }

    /// Return how many octets were used until now.
    pub fn used(&self) -> u64 {
        self.total - (self.len - self.pos) as u64
    }

    /// Say goodbye, where TLS has a word for it.
    pub fn bye(&mut self) {
        if !self.ssl.is_null() {
            unsafe { SSL_shutdown(self.ssl) };
        }
    }
}

fn tls_read(ssl: *mut c_void, free: &mut [u8]) -> R<usize> {
    let start = free.as_mut_ptr() as *mut c_void;
    let number = unsafe { SSL_read(ssl, start, free.len() as c_int) };
    if number > 0 {
        return Ok(number as usize);
    }
    match unsafe { SSL_get_error(ssl, number) } {
        ZERO_RETURN => Ok(0),
        error => Err(format!("SSL_read: {}", error)),
    }
}

extern "C" {
    #[link_name = "memchr"]
    fn c_memchr(all: *const c_void, octet: c_int, size: usize) -> *const c_void;
    fn memmem(all: *const c_void, size: usize, part: *const c_void, of: usize) -> *const c_void;
}

/// Return where an octet is. The C library's is several times faster than a loop.
pub fn memchr(octet: u8, all: &[u8]) -> Option<usize> {
    let start = all.as_ptr() as *const c_void;
    let found = unsafe { c_memchr(start, octet as c_int, all.len()) };
    (!found.is_null()).then(|| found as usize - start as usize)
}

/// Return where a part begins.
pub fn find(all: &[u8], part: &[u8]) -> Option<usize> {
    let (start, wanted) = (all.as_ptr() as *const c_void, part.as_ptr() as *const c_void);
    let found = unsafe { memmem(start, all.len(), wanted, part.len()) };
    (!found.is_null()).then(|| found as usize - start as usize)
}
