// What the skill is asked for; see input.schema.json.
import { isDigit, parse } from "./number";

export const MAX_BINS = 1000;

export class Request {
  values: StaticArray<f64>; // the first count of them
  count: i32 = 0;
  missing: i32 = 0;
  bins: i32 = 10;
  min: f64 = NaN; // NaN: that of the values
  max: f64 = NaN;

  constructor(room: i32) {
    this.values = new StaticArray<f64>(room);
  }
}

// Reader reads a request. It stops at the first thing that is wrong, which error
// names then.
export class Reader {
  error: string = "";
  private at: i32 = 0;
  private request: Request;
  private given: bool = false; // values or text

  constructor(private data: Uint8Array) {
    this.request = new Request(data.length / 2 + 1); // a number and what ends it are two bytes
  }

  read(): Request | null {
    if (!this.members()) return null;
    this.space();
    const r = this.request;
    if (this.at < this.data.length) this.fail("there is more than one JSON value");
    else if (!this.given) this.fail("\"values\" and \"text\" are both missing");
    else if (r.min >= r.max) this.fail("\"min\" is not below \"max\"");
    return this.error.length > 0 ? null : r;
  }

  private fail(why: string): bool {
    this.error = why;
    return false;
  }

  private members(): bool {
    if (!this.take(123)) return this.fail("the request is no JSON object"); // {
    if (this.take(125)) return true; // }
    do {
      const name = this.text();
      if (name === null || !this.take(58)) return this.fail(`byte ${this.at} of the request is not as JSON has it`); // :
      if (!this.member(name)) return false;
    } while (this.take(44)); // ,
    return this.take(125) || this.fail(`byte ${this.at} of the request: want , or }`);
  }

  private member(bytes: Uint8Array): bool {
    const name = String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length), r = this.request;
    if (name == "path") return this.text() !== null || this.fail("\"path\" is no text");
    if (name == "values" || name == "text") {
      if (this.given) return this.fail("give \"values\" or \"text\", once");
      this.given = true;
      return name == "values" ? this.list() : this.lines();
    }
    if (name != "min" && name != "max" && name != "bins") return this.fail("unknown field " + shown(bytes, 0, bytes.length));
    const x = this.number();
    if (!isFinite(x)) return this.fail(`"${name}" is no number, or too large for one`);
    if (name == "min") r.min = x;
    else if (name == "max") r.max = x;
    else if (x != Math.floor(x) || x < 1 || x > MAX_BINS) return this.fail(`"bins": want a whole number from 1 to ${MAX_BINS}`);
    else r.bins = <i32>x;
    return true;
  }

  // list reads the values of a list: numbers, and null for what is missing.
  private list(): bool {
    if (!this.take(91)) return this.fail("\"values\" is no list"); // [
    if (this.take(93)) return true; // ]
    do {
      this.space();
      const from = this.at;
      if (!this.value(this.data, from, this.word())) return this.fail(`"values", item ${this.index}: ` + this.error);
    } while (this.take(44));
    return this.take(93) || this.fail(`"values": want , or ] after item ${this.index - 1}`);
  }

  private get index(): i32 {
    return this.request.count + this.request.missing + 1;
  }

  // lines reads numbers with white space, commas or semicolons between them.
  private lines(): bool {
    const text = this.text();
    if (text === null) return this.fail("\"text\" is no text");
    let line = 1;
    for (let at = 0; at < text.length; at++) {
      const from = at;
      while (at < text.length && !separates(text[at])) at++;
      if (at > from && !this.value(text, from, at)) return this.fail(`line ${line}: ` + this.error);
      if (at < text.length && text[at] == 10) line++;
    }
    return true;
  }

  // value takes a number, or what stands for one that is missing.
  private value(data: Uint8Array, from: i32, to: i32): bool {
    const x = parse(data, from, to), r = this.request;
    if (isFinite(x)) r.values[r.count++] = x;
    else if (!isNaN(x)) return this.fail(shown(data, from, to) + " is too large for a number");
    else if (isMissing(data, from, to)) r.missing++;
    else return this.fail(shown(data, from, to) + " is no number");
    return true;
  }

  private number(): f64 {
    this.space();
    const from = this.at;
    return parse(this.data, from, this.word());
  }

  // word goes to the end of a number or a word.
  private word(): i32 {
    const data = this.data;
    while (this.at < data.length && (isDigit(data[this.at]) || (data[this.at] | 32) - 97 < 26 || data[this.at] == 43 ||
      data[this.at] == 45 || data[this.at] == 46)) this.at++;
    return this.at;
  }

  // text reads a text in quotes; null: there is none. Characters that are escaped
  // with \u become ? if they are not of ASCII: no number has them.
  private text(): Uint8Array | null {
    if (!this.take(34)) return null;
    const data = this.data;
    let end = this.at, size = 0;
    while (end < data.length && data[end] != 34) end += data[end] == 92 ? 2 : 1;
    if (end >= data.length) return null;
    const text = new Uint8Array(end - this.at);
    while (this.at < end) {
      let c = data[this.at++];
      if (c == 92) {
        c = data[this.at++];
        if (c == 117) c = this.hex();
        else if (c == 110) c = 10; // n
        else if (c == 116 || c == 114 || c == 98 || c == 102) c = 32; // t, r, b, f
      }
      text[size++] = c;
    }
    this.at = end + 1;
    return text.subarray(0, size);
  }

  private hex(): u8 {
    let code = 0;
    for (let i = 0; i < 4 && this.at < this.data.length; i++) {
      const c = this.data[this.at++];
      code = code * 16 + (isDigit(c) ? c - 48 : ((c | 32) - 87) & 15);
    }
    return code < 128 ? <u8>code : 63;
  }

  private take(c: u8): bool {
    this.space();
    if (this.at == this.data.length || this.data[this.at] != c) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (this.at < this.data.length && (this.data[this.at] == 32 || this.data[this.at] - 9 < 5)) this.at++;
  }
}

function separates(c: u8): bool {
  return c == 32 || (c >= 9 && c <= 13) || c == 44 || c == 59; // , and ;
}

// isMissing reports whether a word is one that tables have where a number is missing.
function isMissing(data: Uint8Array, from: i32, to: i32): bool {
  const word = String.UTF8.decodeUnsafe(data.dataStart + from, min(to - from, 5)).toLowerCase();
  return word == "null" || word == "nan" || word == "na";
}

// shown quotes what may be anything, for a message.
function shown(data: Uint8Array, from: i32, to: i32): string {
  const most = 20;
  let text = "\"";
  for (let i = from; i < min(to, from + most); i++) text += data[i] >= 32 && data[i] < 127 && data[i] != 34 ? String.fromCharCode(data[i]) : "?";
  return text + (to - from > most ? "…\"" : "\"");
}
