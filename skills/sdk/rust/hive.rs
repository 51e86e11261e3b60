//! What a skill of the Hive asks of its host, by the names of docs/abi.md.
//!
//! ```
//! mod hive;
//!
//! hive::skill!(run);
//!
//! fn run(input: &[u8]) -> Result<Vec<u8>, hive::Failure> {
//!     if input.is_empty() {
//!         return Err(hive::Failure::permanent("nothing to do"));
//!     }
//!     Ok(input.to_ascii_uppercase())
//! }
//! ```
//!
//! It needs the standard library only, and a module imports what its skill calls.
//! Everything but input, output, failures and `task` needs a grant in skill.toml.
//! A space is the name of keys that skills share; `""` is the skill's own.
//!
//! On wasm32-unknown-unknown the standard library has no world around it:
//! `println!` goes nowhere, `Instant::now` and `SystemTime::now` panic, and the
//! keys of a `HashMap`'s hash are the same in every attempt, so that whoever picks
//! its keys can make it slow: use a `BTreeMap` then. Use [`log`], [`clock`] and
//! [`random`]. A generator of random numbers of your own is to be seeded in `run`,
//! not in a `static` that the warm-up call fills.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

mod host {
    #[link(wasm_import_module = "hive")]
    extern "C" {
        pub fn input_read(to: *mut u8, size: usize, offset: usize) -> i32;
        pub fn output_write(from: *const u8, size: usize) -> i32;
        pub fn fail(text: *const u8, size: usize, flags: u32);
        pub fn answer_read(to: *mut u8, size: usize, offset: usize) -> i32;
        pub fn task() -> i32;
        pub fn log(level: u32, text: *const u8, size: usize) -> i32;
        pub fn kv_get(space: *const u8, space_size: usize, key: *const u8, key_size: usize) -> i32;
        pub fn kv_set(
            space: *const u8,
            space_size: usize,
            key: *const u8,
            key_size: usize,
            value: *const u8,
            value_size: usize,
            ttl: u32,
        ) -> i32;
        pub fn kv_delete(
            space: *const u8,
            space_size: usize,
            key: *const u8,
            key_size: usize,
        ) -> i32;
        pub fn kv_incr(
            space: *const u8,
            space_size: usize,
            key: *const u8,
            key_size: usize,
            delta: i64,
        ) -> i32;
        pub fn kv_cas(
            space: *const u8,
            space_size: usize,
            key: *const u8,
            key_size: usize,
            old: *const u8,
            old_size: usize,
            new: *const u8,
            new_size: usize,
            flags: u32,
        ) -> i32;
        pub fn kv_list(
            space: *const u8,
            space_size: usize,
            prefix: *const u8,
            prefix_size: usize,
            after: *const u8,
            after_size: usize,
            limit: u32,
        ) -> i32;
        pub fn spawn(
            skill: *const u8,
            skill_size: usize,
            payload: *const u8,
            payload_size: usize,
        ) -> i32;
        pub fn emit(from: *const u8, size: usize) -> i32;
        pub fn progress(done: u32, total: u32, text: *const u8, size: usize) -> i32;
        pub fn http(head: *const u8, head_size: usize, body: *const u8, body_size: usize) -> i32;
        pub fn secret(name: *const u8, size: usize) -> i32;
        pub fn file_read(path: *const u8, size: usize, offset: i64, limit: u32) -> i32;
        pub fn file_list(path: *const u8, size: usize) -> i32;
        pub fn clock() -> i32;
        pub fn random(to: *mut u8, size: usize) -> i32;
    }
}

/// Why the host did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The manifest does not ask for the grant or for this use of it, or the
    /// spore does not give it.
    Denied,
    /// There is no such key, secret, file or folder.
    Absent,
    /// The attempt asked for too much.
    Full,
    /// An argument means nothing to the host.
    Invalid,
    /// The host could not do it now, and says why.
    Unavailable(String),
    /// Memory that is not the guest's was named.
    Range,
}

pub type Result<T> = std::result::Result<T, Error>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Error::Denied => "denied",
            Error::Absent => "absent",
            Error::Full => "full",
            Error::Invalid => "invalid",
            Error::Unavailable(why) => return write!(f, "unavailable: {}", why),
            Error::Range => "range",
        })
    }
}

impl std::error::Error for Error {}

/// Why a skill fails. Every error becomes one by `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    /// Another attempt would only fail again.
    pub permanent: bool,
    /// Seconds that the next attempt is to wait; 0: as the task says.
    pub after: u32,
}

impl Failure {
    /// A failure after which the task is tried again.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            permanent: false,
            after: 0,
        }
    }

    /// A failure after which the next attempt waits for some seconds.
    pub fn after(message: impl Into<String>, seconds: u32) -> Failure {
        Failure {
            after: seconds,
            ..Failure::new(message)
        }
    }

    /// A failure that ends the task.
    pub fn permanent(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            permanent: true,
            after: 0,
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(err: E) -> Failure {
        Failure::new(err.to_string())
    }
}

/// Makes a function the skill: `fn(&[u8]) -> Result<T, Failure>`, where `T` is what
/// the result is, a `Vec<u8>` or a `String`. The module is to be `hive` in the
/// crate's root.
#[allow(unused_macros)]
macro_rules! skill {
    ($run:path) => {
        #[no_mangle]
        pub extern "C" fn hive_run(size: usize) -> i32 {
            $crate::hive::serve(size, $run)
        }
    };
}
#[allow(unused_imports)]
pub(crate) use skill;

/// Calls the skill with a payload of `size` bytes and answers for it: what
/// [`skill!`] expands to. A panic's message is kept, then it is a trap.
pub fn serve<T: AsRef<[u8]>>(
    size: usize,
    run: fn(&[u8]) -> std::result::Result<T, Failure>,
) -> i32 {
    std::panic::set_hook(Box::new(|panic| fail(&Failure::new(panic.to_string()))));
    match run(&input(size)) {
        Ok(result) => {
            output(result.as_ref());
            0
        }
        Err(failure) => {
            fail(&failure);
            1
        }
    }
}

fn input(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let n = unsafe { host::input_read(bytes.as_mut_ptr(), size, 0) };
    bytes.truncate(n.max(0) as usize);
    bytes
}

/// Appends to the result, before what the skill returns.
pub fn output(bytes: &[u8]) {
    // The host refuses memory that is not there only, and ends an attempt
    // whose result is too large.
    unsafe { host::output_write(bytes.as_ptr(), bytes.len()) };
}

fn fail(failure: &Failure) {
    let text = &failure.message;
    let flags = failure.after.min(0xff_ffff) << 8 | failure.permanent as u32;
    unsafe { host::fail(text.as_ptr(), text.len(), flags) };
}

/// What a call answered beside a number that is not negative.
fn check(n: i32) -> Result<usize> {
    match n {
        0.. => Ok(n as usize),
        -1 => Err(Error::Range),
        -2 => Err(Error::Denied),
        -3 => Err(Error::Invalid),
        -4 => Err(Error::Absent),
        -5 => Err(Error::Full),
        -6 => Err(Error::Unavailable(
            String::from_utf8_lossy(&read_answer(MAX_REASON)).into_owned(),
        )),
        _ => Err(Error::Unavailable(format!("error {}", n))),
    }
}

/// How long a reason may be, in bytes.
const MAX_REASON: usize = 2 << 10;

fn read_answer(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let n = unsafe { host::answer_read(bytes.as_mut_ptr(), size, 0) };
    bytes.truncate(n.max(0) as usize);
    bytes
}

/// What a call answered in bytes, whose number is n.
fn bytes(n: i32) -> Result<Vec<u8>> {
    Ok(read_answer(check(n)?))
}

fn text(n: i32) -> Result<String> {
    String::from_utf8(bytes(n)?).map_err(|_| Error::Invalid)
}

/// The eight bytes of a number.
fn number(n: i32) -> Result<[u8; 8]> {
    let mut number = [0; 8];
    check(n)?;
    unsafe { host::answer_read(number.as_mut_ptr(), number.len(), 0) };
    Ok(number)
}

/// Names that end in a newline each.
fn lines(n: i32) -> Result<Vec<String>> {
    Ok(text(n)?.lines().map(str::to_string).collect())
}

/// The task that the attempt works on, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    pub id: String,
    /// From 1.
    pub attempt: u32,
    /// `name@version`
    pub skill: String,
    /// Of the program.
    pub digest: String,
    /// In RFC 3339, if there is one.
    pub deadline: Option<String>,
    pub spore: String,
    /// The spore's.
    pub tags: BTreeMap<String, String>,
}

/// What the attempt works on. During the warm-up call it is nothing that matters.
pub fn task() -> Result<Task> {
    let json = text(unsafe { host::task() })?;
    let mut task = Task::default();
    let read = Json(json.chars().peekable()).fields(&mut |json, name| {
        match name.as_str() {
            "id" => task.id = json.string()?,
            "attempt" => task.attempt = json.word().parse().ok()?,
            "skill" => task.skill = json.string()?,
            "digest" => task.digest = json.string()?,
            "deadline" => task.deadline = Some(json.string()?),
            "spore" => task.spore = json.string()?,
            "tags" => json.fields(&mut |json, tag| {
                task.tags.insert(tag, json.string()?);
                Some(())
            })?,
            _ => json.skip()?,
        }
        Some(())
    });
    read.map(|()| task).ok_or(Error::Invalid)
}

/// Reads as much of JSON as `task` answers.
struct Json<'a>(std::iter::Peekable<std::str::Chars<'a>>);

impl<'a> Json<'a> {
    fn peek(&mut self) -> Option<char> {
        while self.0.peek()?.is_ascii_whitespace() {
            self.0.next();
        }
        self.0.peek().copied()
    }

    fn eat(&mut self, c: char) -> Option<()> {
        if self.peek()? != c {
            return None;
        }
        self.0.next();
        Some(())
    }

    /// Calls `field` with each name of an object; it is to read the value.
    fn fields(&mut self, field: &mut dyn FnMut(&mut Json<'a>, String) -> Option<()>) -> Option<()> {
        self.eat('{')?;
        while self.peek()? != '}' {
            let name = self.string()?;
            self.eat(':')?;
            field(self, name)?;
            if self.eat(',').is_none() {
                break;
            }
        }
        self.eat('}')
    }

    fn string(&mut self) -> Option<String> {
        self.eat('"')?;
        let mut units = Vec::new(); // UTF-16: what \u says are such
        loop {
            let unescaped = match self.0.next()? {
                '"' => return Some(String::from_utf16_lossy(&units)),
                '\\' => match self.0.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'u' => {
                        let hex: String = self.0.by_ref().take(4).collect();
                        units.push(u16::from_str_radix(&hex, 16).ok()?);
                        continue;
                    }
                    c => c,
                },
                c => c,
            };
            units.extend_from_slice(unescaped.encode_utf16(&mut [0; 2]));
        }
    }

    /// A number, true, false or null.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| !",]}".contains(*c)) {
            word.push(c);
            self.0.next();
        }
        word
    }

    /// A value that is of a later version of the ABI.
    fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            '"' => self.string().map(drop),
            '{' => self.fields(&mut |json, _| json.skip()),
            '[' => {
                self.eat('[')?;
                while self.peek()? != ']' {
                    self.skip()?;
                    if self.eat(',').is_none() {
                        break;
                    }
                }
                self.eat(']')
            }
            _ => {
                self.word();
                Some(())
            }
        }
    }
}

/// How much an entry of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

/// Adds an entry of at most 4 KiB to the log. Who does not care whether it is
/// denied uses [`debug`], [`info`], [`warn`] and [`error`].
pub fn log(level: Level, text: &str) -> Result<()> {
    check(unsafe { host::log(level as u32, text.as_ptr(), text.len()) }).map(drop)
}

pub fn debug(text: impl AsRef<str>) {
    let _ = log(Level::Debug, text.as_ref());
}

pub fn info(text: impl AsRef<str>) {
    let _ = log(Level::Info, text.as_ref());
}

pub fn warn(text: impl AsRef<str>) {
    let _ = log(Level::Warn, text.as_ref());
}

pub fn error(text: impl AsRef<str>) {
    let _ = log(Level::Error, text.as_ref());
}

/// The value of a key, or none.
pub fn kv_get(space: &str, key: &str) -> Result<Option<Vec<u8>>> {
    let n = unsafe { host::kv_get(space.as_ptr(), space.len(), key.as_ptr(), key.len()) };
    match bytes(n) {
        Err(Error::Absent) => Ok(None),
        value => value.map(Some),
    }
}

/// Sets a key to at most 64 KiB. After `ttl`, in whole seconds, it is gone; zero: it
/// stays.
pub fn kv_set(space: &str, key: &str, value: impl AsRef<[u8]>, ttl: Duration) -> Result<()> {
    let value = value.as_ref();
    // What lasts less than a second must not stay.
    let seconds = ttl.as_secs() + (ttl.subsec_nanos() > 0) as u64;
    check(unsafe {
        host::kv_set(
            space.as_ptr(),
            space.len(),
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            seconds.try_into().unwrap_or(u32::MAX),
        )
    })
    .map(drop)
}

pub fn kv_delete(space: &str, key: &str) -> Result<()> {
    check(unsafe { host::kv_delete(space.as_ptr(), space.len(), key.as_ptr(), key.len()) })
        .map(drop)
}

/// Adds to the number that a key holds, and answers what it would be now.
pub fn kv_incr(space: &str, key: &str, delta: i64) -> Result<i64> {
    number(unsafe { host::kv_incr(space.as_ptr(), space.len(), key.as_ptr(), key.len(), delta) })
        .map(i64::from_le_bytes)
}

/// If a key holds `old`, sets it to `new` and answers true. An `old` of `None`: the
/// key must be absent; a `new` of `None`: it is deleted.
pub fn kv_cas(space: &str, key: &str, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool> {
    const ABSENT: u32 = 1;
    const DELETE: u32 = 2;
    let flags = if old.is_none() { ABSENT } else { 0 } | if new.is_none() { DELETE } else { 0 };
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    check(unsafe {
        host::kv_cas(
            space.as_ptr(),
            space.len(),
            key.as_ptr(),
            key.len(),
            old.as_ptr(),
            old.len(),
            new.as_ptr(),
            new.len(),
            flags,
        )
    })
    .map(|n| n == 1)
}

/// At most `limit` keys, up to 1,000, that begin with `prefix` and come after
/// `after`. See [`kv_keys`] for all.
pub fn kv_list(space: &str, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>> {
    lines(unsafe {
        host::kv_list(
            space.as_ptr(),
            space.len(),
            prefix.as_ptr(),
            prefix.len(),
            after.as_ptr(),
            after.len(),
            limit,
        )
    })
}

/// All keys that begin with `prefix`, page by page.
pub fn kv_keys(space: &str, prefix: &str) -> Result<Vec<String>> {
    let mut keys = Vec::<String>::new();
    loop {
        let page = kv_list(space, prefix, keys.last().map_or("", String::as_str), 1000)?;
        if page.is_empty() {
            return Ok(keys);
        }
        keys.extend(page);
    }
}

/// Asks for a task of a skill, `name` or `name@version`, and answers its id. It is
/// there when this attempt has completed.
pub fn spawn(skill: &str, payload: impl AsRef<[u8]>) -> Result<String> {
    let payload = payload.as_ref();
    text(unsafe { host::spawn(skill.as_ptr(), skill.len(), payload.as_ptr(), payload.len()) })
}

/// Gives a part of the result, at most 64 KiB, to who watches the task.
pub fn emit(part: impl AsRef<[u8]>) -> Result<()> {
    let part = part.as_ref();
    check(unsafe { host::emit(part.as_ptr(), part.len()) }).map(drop)
}

/// Says how far the attempt is: `done` of `total`, 0 if nobody knows.
pub fn progress(done: u32, total: u32, text: &str) -> Result<()> {
    check(unsafe { host::progress(done, total, text.as_ptr(), text.len()) }).map(drop)
}

/// An HTTP request: `hive::Request::new("GET", url).header("accept", "*/*").send()?`.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    body: Vec<u8>,
    valid: bool,
}

/// The answer to an HTTP request, whatever its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, url: &str) -> Request {
        let request = Request {
            head: String::new(),
            body: Vec::new(),
            valid: !method.contains(' '),
        };
        request.line(method, " ", url)
    }

    pub fn header(self, name: &str, value: &str) -> Request {
        self.line(name, ": ", value)
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// Adds a line to the head. What would make two of it is no header.
    fn line(mut self, name: &str, between: &str, value: &str) -> Request {
        self.valid &= !name.contains(['\r', '\n']) && !value.contains(['\r', '\n']);
        self.head.extend([name, between, value, "\n"]);
        self
    }

    /// Makes the request, each time that the task is tried.
    pub fn send(self) -> Result<Response> {
        if !self.valid {
            return Err(Error::Invalid);
        }
        let n = unsafe {
            host::http(
                self.head.as_ptr(),
                self.head.len(),
                self.body.as_ptr(),
                self.body.len(),
            )
        };
        Response::parse(&bytes(n)?).ok_or(Error::Invalid)
    }
}

impl Response {
    fn parse(answer: &[u8]) -> Option<Response> {
        let end = answer.windows(2).position(|two| two == b"\n\n")?;
        let head = String::from_utf8_lossy(&answer[..end]);
        let mut lines = head.split('\n');
        let status = lines.next()?.trim().parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(':'));
        Some(Response {
            status,
            headers: headers
                .map(|(name, value)| (name.to_string(), value.trim().to_string()))
                .collect(),
            body: answer[end + 2..].to_vec(),
        })
    }

    /// The first value of a header, whose name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What the spore keeps under a name.
pub fn secret(name: &str) -> Result<Vec<u8>> {
    bytes(unsafe { host::secret(name.as_ptr(), name.len()) })
}

/// At most `limit` bytes, up to 1 MiB, of a file, `FOLDER/PATH`, from `offset` on;
/// none at its end. See [`file`] for all.
pub fn file_read(path: &str, offset: u64, limit: u32) -> Result<Vec<u8>> {
    bytes(unsafe { host::file_read(path.as_ptr(), path.len(), offset as i64, limit) })
}

/// A file as a whole.
pub fn file(path: &str) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let part = file_read(path, content.len() as u64, 1 << 20)?;
        if part.is_empty() {
            return Ok(content);
        }
        content.extend(part);
    }
}

/// The names in a folder, sorted; folders end in `/`.
pub fn file_list(path: &str) -> Result<Vec<String>> {
    lines(unsafe { host::file_list(path.as_ptr(), path.len()) })
}

/// The time since 1970.
pub fn clock() -> Result<Duration> {
    number(unsafe { host::clock() }).map(|n| Duration::from_nanos(u64::from_le_bytes(n)))
}

/// Fills a buffer with random bytes.
pub fn random(buffer: &mut [u8]) -> Result<()> {
    const AT_ONCE: usize = 64 << 10;
    for part in buffer.chunks_mut(AT_ONCE) {
        check(unsafe { host::random(part.as_mut_ptr(), part.len()) })?;
    }
    Ok(())
}
