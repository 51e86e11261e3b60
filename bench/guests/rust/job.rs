// The job as a reactor: see c/job.h. What it uses of the standard library is
// strings, vectors, numbers and formatting.
#[link(wasm_import_module = "hive")]
extern "C" {
    fn input_read(to: *mut u8, length: usize, offset: usize) -> i32;
    fn output_write(from: *const u8, length: usize) -> i32;
    fn fail(message: *const u8, length: usize, flags: u32);
}

#[no_mangle]
pub extern "C" fn hive_run(length: usize) -> i32 {
    let mut input = vec![0; length];
    unsafe { input_read(input.as_mut_ptr(), length, 0) };
    match job(&input) {
        Some(output) => unsafe { output_write(output.as_ptr(), output.len()) },
        None => {
            let why = "this is not the job";
            unsafe { fail(why.as_ptr(), why.len(), 1) };
            1
        }
    }
}

struct Text<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Text<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, c: u8) -> Option<()> {
        self.space();
        if self.peek()? != c {
            return None;
        }
        self.at += 1;
        Some(())
    }

    // A string as it is between its quotes, escaped.
    fn string(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        let first = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        std::str::from_utf8(&self.bytes[first..self.at - 1]).ok()
    }

    fn number(&mut self) -> Option<i64> {
        self.space();
        let first = self.at;
        while matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            self.at += 1;
        }
        std::str::from_utf8(&self.bytes[first..self.at]).ok()?.parse().ok()
    }
}

fn job(input: &[u8]) -> Option<String> {
    let mut t = Text { bytes: input, at: 0 };
    let (mut a, mut b, mut name) = (0i64, 0i64, "");
    t.eat(b'{')?;
    loop {
        let key = t.string()?;
        t.eat(b':')?;
        match key {
            "a" => a = t.number()?,
            "b" => b = t.number()?,
            "name" => name = t.string()?,
            _ => return None,
        }
        if t.eat(b',').is_none() {
            break;
        }
    }
    t.eat(b'}')?;
    t.space();
    if t.at != t.bytes.len() {
        return None;
    }
    Some(format!(
        "{{\"sum\":{},\"product\":{},\"hello\":\"{}\"}}",
        a.wrapping_add(b),
        a.wrapping_mul(b),
        name
    ))
}
