// The job as a reactor: see c/job.h. It uses the strings of the language, with
// its garbage collector.
@external("hive", "input_read")
declare function input_read(to: usize, length: i32, offset: i32): i32;
@external("hive", "output_write")
declare function output_write(from: usize, length: i32): i32;
@external("hive", "fail")
declare function fail(message: usize, length: i32, flags: i32): void;

function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

class Text {
  at: i32 = 0;
  ok: bool = true;
  constructor(public s: string) {}

  space(): void {
    for (; this.at < this.s.length; this.at++) {
      const c = this.s.charCodeAt(this.at);
      if (c != 32 && c != 9 && c != 10 && c != 13) return;
    }
  }

  eat(c: i32): bool {
    this.space();
    if (this.at >= this.s.length || this.s.charCodeAt(this.at) != c) return false;
    this.at++;
    return true;
  }

  want(c: i32): void {
    this.ok = this.eat(c) && this.ok;
  }

  // A string as it is between its quotes, escaped.
  text(): string {
    this.want(34);
    const first = this.at;
    for (; this.at < this.s.length; this.at++) {
      const c = this.s.charCodeAt(this.at);
      if (c == 34) return this.s.substring(first, this.at++);
      if (c == 92) this.at++;
    }
    this.ok = false;
    return "";
  }

  number(): i64 {
    const minus = this.eat(45);
    const first = this.at;
    let v: i64 = 0;
    for (; this.at < this.s.length; this.at++) {
      const c = this.s.charCodeAt(this.at);
      if (c < 48 || c > 57) break;
      v = v * 10 + (c - 48);
    }
    this.ok = this.ok && this.at > first;
    return minus ? -v : v;
  }
}

function job(input: string): string | null {
  const t = new Text(input);
  let a: i64 = 0, b: i64 = 0, name = "";
  t.want(123);
  do {
    const key = t.text();
    t.want(58);
    if (key == "a") a = t.number();
    else if (key == "b") b = t.number();
    else if (key == "name") name = t.text();
    else return null;
  } while (t.ok && t.eat(44));
  t.want(125);
  t.space();
  if (!t.ok || t.at != input.length) return null;
  return `{"sum":${a + b},"product":${a * b},"hello":"${name}"}`;
}

export function hive_run(length: i32): i32 {
  const input = new ArrayBuffer(length);
  input_read(changetype<usize>(input), length, 0);
  const answer = job(String.UTF8.decode(input));
  if (answer == null) {
    const why = String.UTF8.encode("this is not the job");
    fail(changetype<usize>(why), why.byteLength, 1);
    return 1;
  }
  const output = String.UTF8.encode(answer);
  return output_write(changetype<usize>(output), output.byteLength);
}
