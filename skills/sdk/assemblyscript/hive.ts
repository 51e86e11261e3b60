// What a skill of the Hive asks of its host, by the names of docs/abi.md.
//
//   import * as hive from "./hive";
//
//   export function hive_run(size: i32): i32 {
//     return hive.answer(run(hive.input(size)));
//   }
//
//   function run(input: Uint8Array): Uint8Array | null {
//     if (input.length == 0) return hive.fail("nothing to do", true);
//     return hive.bytes(hive.text(input).toUpperCase());
//   }
//
// It needs asc only, and a module imports what its skill calls. Everything but
// input, output, failures and task needs a grant in skill.toml. A space is the
// name of keys that skills share; "" is the skill's own.
//
// Compile with --use abort=hive/abort --use seed=hive/seed --exportStart _initialize.
// What throws or is out of bounds ends the attempt with its message then, and
// Math.random is seeded by the host when it is first called, which needs the
// grant random. console, Date.now and process ask a browser: use log and clock.

// A number that is not negative, or one of these errors.
export type Code = i32;

export const RANGE: Code = -1; // memory that is not the guest's was named
export const DENIED: Code = -2; // the manifest does not ask for it, or the spore does not give it
export const INVALID: Code = -3; // an argument means nothing to the host
export const ABSENT: Code = -4; // there is no such key, secret, file or folder
export const FULL: Code = -5; // the attempt asked for too much
export const UNAVAILABLE: Code = -6; // the host could not do it now

@external("hive", "input_read")
declare function host_input_read(to: usize, size: i32, offset: i32): i32;
@external("hive", "output_write")
declare function host_output_write(from: usize, size: i32): i32;
@external("hive", "fail")
declare function host_fail(text: usize, size: i32, flags: i32): void;
@external("hive", "answer_read")
declare function host_answer_read(to: usize, size: i32, offset: i32): i32;
@external("hive", "task")
declare function host_task(): i32;
@external("hive", "log")
declare function host_log(level: i32, text: usize, size: i32): i32;
@external("hive", "kv_get")
declare function host_kv_get(space: usize, spaceSize: i32, key: usize, keySize: i32): i32;
@external("hive", "kv_set")
declare function host_kv_set(space: usize, spaceSize: i32, key: usize, keySize: i32, value: usize, valueSize: i32, ttl: u32): i32;
@external("hive", "kv_delete")
declare function host_kv_delete(space: usize, spaceSize: i32, key: usize, keySize: i32): i32;
@external("hive", "kv_incr")
declare function host_kv_incr(space: usize, spaceSize: i32, key: usize, keySize: i32, delta: i64): i32;
@external("hive", "kv_cas")
declare function host_kv_cas(space: usize, spaceSize: i32, key: usize, keySize: i32, old: usize, oldSize: i32, next: usize, nextSize: i32, flags: i32): i32;
@external("hive", "kv_list")
declare function host_kv_list(space: usize, spaceSize: i32, prefix: usize, prefixSize: i32, after: usize, afterSize: i32, limit: u32): i32;
@external("hive", "spawn")
declare function host_spawn(skill: usize, skillSize: i32, payload: usize, payloadSize: i32): i32;
@external("hive", "emit")
declare function host_emit(from: usize, size: i32): i32;
@external("hive", "progress")
declare function host_progress(done: u32, total: u32, text: usize, size: i32): i32;
@external("hive", "http")
declare function host_http(head: usize, headSize: i32, body: usize, bodySize: i32): i32;
@external("hive", "secret")
declare function host_secret(name: usize, size: i32): i32;
@external("hive", "file_read")
declare function host_file_read(path: usize, size: i32, offset: i64, limit: u32): i32;
@external("hive", "file_list")
declare function host_file_list(path: usize, size: i32): i32;
@external("hive", "clock")
declare function host_clock(): i32;
@external("hive", "random")
declare function host_random(to: usize, size: i32): i32;

// bytes returns a text in UTF-8.
export function bytes(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

// text returns the text that bytes of UTF-8 are.
export function text(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

// input returns the payload, whose size hive_run was called with.
export function input(size: i32): Uint8Array {
  const payload = new Uint8Array(size);
  host_input_read(payload.dataStart, size, 0);
  return payload;
}

// output appends to the result, before what is given to answer.
export function output(part: Uint8Array): void {
  host_output_write(part.dataStart, part.length);
}

// answer ends hive_run: with a result, or with what was given to fail.
export function answer(result: Uint8Array | null): i32 {
  if (result === null) return 1;
  output(result);
  return 0;
}

// fail says why the skill fails, and returns what run is to return then. After a
// permanent failure the task is not tried again; after another one it waits for some
// seconds if it is said how many, or else as long as the task says.
export function fail(message: string, permanent: bool = false, after: u32 = 0): Uint8Array | null {
  const text = String.UTF8.encode(message);
  const wait = after < 0xffffff ? after : 0xffffff;
  host_fail(changetype<usize>(text), text.byteLength, (wait << 8) | (permanent ? 1 : 0));
  return null;
}

// abort is called where something throws; see --use.
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const why = message === null ? "aborted" : message;
  fail(file === null ? why : `${why} (${file}:${line}:${column})`);
  unreachable();
}

// seed seeds Math.random when it is first called; see --use. A warm-up call has no
// random numbers and ends here, so that no two attempts begin with the same.
export function seed(): f64 {
  const number = random(8);
  if (number.error) throw new Error("Math.random: random is " + describe(number.error));
  return reinterpret<f64>(load<u64>(number.value.dataStart) & ~(1 << 62)); // never NaN
}

// describe names an error. Why the host is unavailable is known until the next call.
export function describe(error: Code): string {
  switch (error) {
    case RANGE: return "range";
    case DENIED: return "denied";
    case INVALID: return "invalid";
    case ABSENT: return "absent";
    case FULL: return "full";
    case UNAVAILABLE: return "unavailable: " + text(read(MAX_REASON));
  }
  return "error " + error.toString();
}

const MAX_REASON = 2048; // bytes

// Bytes is bytes that were asked for, or an error.
export class Bytes {
  constructor(public error: Code, public value: Uint8Array) {}

  get text(): string {
    return text(this.value);
  }
}

// Text is a text that was asked for, or an error.
export class Text {
  constructor(public error: Code, public value: string) {}
}

// Integer is a number that was asked for, or an error.
export class Integer {
  constructor(public error: Code, public value: i64) {}
}

// Names are names that were asked for, or an error.
export class Names {
  constructor(public error: Code, public value: string[]) {}
}

// read returns at most size bytes of what the last call answered.
function read(size: i32): Uint8Array {
  const buffer = new Uint8Array(size);
  return buffer.subarray(0, max(0, host_answer_read(buffer.dataStart, size, 0)));
}

function bytesOf(n: i32): Bytes {
  return new Bytes(min(n, 0), read(max(n, 0)));
}

function textOf(n: i32): Text {
  return new Text(min(n, 0), text(read(max(n, 0))));
}

function integerOf(n: i32): Integer {
  return new Integer(min(n, 0), n < 8 ? 0 : load<i64>(read(8).dataStart));
}

function namesOf(n: i32): Names {
  const names = textOf(n).value.split("\n");
  names.pop(); // each name ends in a newline
  return new Names(min(n, 0), names);
}

// Task is what the attempt works on, and where.
export class Task {
  error: Code = 0;
  id: string = "";
  attempt: i32 = 0; // from 1
  skill: string = ""; // name@version
  digest: string = ""; // of the program
  deadline: string = ""; // in RFC 3339, if there is one
  spore: string = "";
  tags: Map<string, string> = new Map(); // of the spore
}

// task returns the task. During the warm-up call it is nothing that matters.
export function task(): Task {
  const answer = textOf(host_task());
  const task = new Task();
  task.error = answer.error;
  if (task.error) return task;
  const json = new Json(answer.value);
  while (json.next()) {
    const name = json.name;
    if (name == "tags" && json.eat(OPEN)) {
      while (json.next()) task.tags.set(json.name, json.value());
      continue;
    }
    const value = json.value();
    if (name == "id") task.id = value;
    else if (name == "attempt") task.attempt = i32.parse(value);
    else if (name == "skill") task.skill = value;
    else if (name == "digest") task.digest = value;
    else if (name == "deadline") task.deadline = value;
    else if (name == "spore") task.spore = value;
  }
  return task;
}

const OPEN = 123; // {

// Json reads as much of JSON as task answers: objects of texts, numbers and objects.
class Json {
  at: i32 = 0;
  name: string = "";

  constructor(private text: string) {
    this.eat(OPEN);
  }

  // next reads the next name of the object, or its end.
  next(): bool {
    this.eat(44); // ,
    if (this.at >= this.text.length || this.eat(125)) return false; // }
    this.name = this.value();
    return this.eat(58); // :
  }

  eat(c: i32): bool {
    if (this.at >= this.text.length || this.text.charCodeAt(this.at) != c) return false;
    this.at++;
    return true;
  }

  // value reads a text, a number or a word. Of what is an object or a list, which
  // is of a later version of the ABI, it returns nothing.
  value(): string {
    const quoted = this.eat(34);
    let value = "", depth = 0;
    while (this.at < this.text.length) {
      let c = this.text.charCodeAt(this.at);
      if (!quoted && depth == 0 && (c == 44 || c == 125)) break;
      if (!quoted && c == 34) {
        this.value();
        continue;
      }
      this.at++;
      if (quoted && c == 34) break;
      if (quoted && c == 92) c = this.escaped();
      if (!quoted && (c == OPEN || c == 91)) depth++; // {, [
      if (depth == 0) value += String.fromCharCode(c);
      if (!quoted && (c == 125 || c == 93)) depth--; // }, ]
    }
    return value;
  }

  // escaped reads what comes after a backslash.
  private escaped(): i32 {
    const c = this.text.charCodeAt(this.at++);
    if (c != 117) { // \u0000
      const control = "btnvfr".indexOf(String.fromCharCode(c));
      return control < 0 ? c : 8 + control;
    }
    this.at += 4;
    return <i32>parseInt(this.text.substring(this.at - 4, this.at), 16);
  }
}

// The levels of the log.
export const DEBUG = 0, INFO = 1, WARN = 2, ERROR = 3;

// log adds an entry of at most 4 KiB to the log.
export function log(level: i32, text: string): Code {
  const utf8 = String.UTF8.encode(text);
  return host_log(level, changetype<usize>(utf8), utf8.byteLength);
}

// kv_get returns the value of a key.
export function kv_get(space: string, key: string): Bytes {
  const s = String.UTF8.encode(space), k = String.UTF8.encode(key);
  return bytesOf(host_kv_get(changetype<usize>(s), s.byteLength, changetype<usize>(k), k.byteLength));
}

// kv_set sets a key to at most 64 KiB. After ttl seconds it is gone, 0: it stays.
export function kv_set(space: string, key: string, value: Uint8Array, ttl: u32 = 0): Code {
  const s = String.UTF8.encode(space), k = String.UTF8.encode(key);
  return host_kv_set(changetype<usize>(s), s.byteLength, changetype<usize>(k), k.byteLength, value.dataStart, value.length, ttl);
}

// kv_delete deletes a key.
export function kv_delete(space: string, key: string): Code {
  const s = String.UTF8.encode(space), k = String.UTF8.encode(key);
  return host_kv_delete(changetype<usize>(s), s.byteLength, changetype<usize>(k), k.byteLength);
}

// kv_incr adds to the number that a key holds, and returns what it would be now.
export function kv_incr(space: string, key: string, delta: i64): Integer {
  const s = String.UTF8.encode(space), k = String.UTF8.encode(key);
  return integerOf(host_kv_incr(changetype<usize>(s), s.byteLength, changetype<usize>(k), k.byteLength, delta));
}

// kv_cas sets a key to next if it holds old, and returns 1 then, else 0. An old of
// null: the key must be absent; a next of null: it is deleted.
export function kv_cas(space: string, key: string, old: Uint8Array | null, next: Uint8Array | null): Code {
  const s = String.UTF8.encode(space), k = String.UTF8.encode(key);
  const none = new Uint8Array(0);
  const o = old === null ? none : old, n = next === null ? none : next;
  const flags = (old === null ? 1 : 0) | (next === null ? 2 : 0);
  return host_kv_cas(changetype<usize>(s), s.byteLength, changetype<usize>(k), k.byteLength,
    o.dataStart, o.length, n.dataStart, n.length, flags);
}

// kv_list returns at most limit keys, up to 1,000, that begin with prefix and come
// after after. See kv_keys for all.
export function kv_list(space: string, prefix: string, after: string, limit: u32): Names {
  const s = String.UTF8.encode(space), p = String.UTF8.encode(prefix), a = String.UTF8.encode(after);
  return namesOf(host_kv_list(changetype<usize>(s), s.byteLength, changetype<usize>(p), p.byteLength,
    changetype<usize>(a), a.byteLength, limit));
}

// kv_keys returns all keys that begin with prefix, which it reads page by page.
export function kv_keys(space: string, prefix: string): Names {
  const all = new Names(0, []);
  let after = "";
  while (true) {
    const page = kv_list(space, prefix, after, 1000);
    all.error = page.error;
    if (page.value.length == 0) return all;
    all.value = all.value.concat(page.value);
    after = page.value[page.value.length - 1];
  }
}

// spawn asks for a task of a skill, name or name@version, and returns its id. The
// task is there when this attempt has completed.
export function spawn(skill: string, payload: Uint8Array): Text {
  const s = String.UTF8.encode(skill);
  return textOf(host_spawn(changetype<usize>(s), s.byteLength, payload.dataStart, payload.length));
}

// emit gives a part of the result, at most 64 KiB, to who watches the task.
export function emit(part: Uint8Array): Code {
  return host_emit(part.dataStart, part.length);
}

// progress says how far the attempt is: done of total, 0 if nobody knows.
export function progress(done: u32, total: u32, text: string = ""): Code {
  const t = String.UTF8.encode(text);
  return host_progress(done, total, changetype<usize>(t), t.byteLength);
}

// Request is an HTTP request: new hive.Request("GET", url).header("accept", "*/*").send().
export class Request {
  private head: string = "";
  private valid: bool = true;
  private content: Uint8Array = new Uint8Array(0);

  constructor(method: string, url: string) {
    this.line(method, " ", url);
    if (method.includes(" ")) this.valid = false;
  }

  header(name: string, value: string): Request {
    this.line(name, ": ", value);
    return this;
  }

  body(content: Uint8Array): Request {
    this.content = content;
    return this;
  }

  // send makes the request, each time that the task is tried.
  send(): Response {
    if (!this.valid) return new Response(INVALID, new Uint8Array(0));
    const head = String.UTF8.encode(this.head);
    const n = host_http(changetype<usize>(head), head.byteLength, this.content.dataStart, this.content.length);
    return new Response(min(n, 0), read(max(n, 0)));
  }

  // line adds a line to the head. What would make two of it is no header.
  private line(name: string, between: string, value: string): void {
    const line = name + between + value;
    if (line.includes("\n") || line.includes("\r")) this.valid = false;
    this.head += line + "\n";
  }
}

// Response is the answer to an HTTP request, whatever its status, or an error.
export class Response {
  status: i32 = 0;
  headers: string[][] = []; // pairs, the name in lower case
  body: Uint8Array;

  constructor(public error: Code, answer: Uint8Array) {
    let end = 0; // of the head: at an empty line
    while (end + 1 < answer.length && (answer[end] != 10 || answer[end + 1] != 10)) end++;
    this.body = answer.subarray(end + 2);
    const lines = text(answer.subarray(0, end)).split("\n");
    if (!error) this.status = i32.parse(lines[0]);
    for (let i = 1; i < lines.length; i++) {
      const colon = lines[i].indexOf(":");
      if (colon >= 0) this.headers.push([lines[i].substring(0, colon), lines[i].substring(colon + 1).trim()]);
    }
  }

  // header returns the first value of a header, whose name is in lower case, or "".
  header(name: string): string {
    for (let i = 0; i < this.headers.length; i++) {
      if (this.headers[i][0] == name) return this.headers[i][1];
    }
    return "";
  }
}

// secret returns what the spore keeps under a name.
export function secret(name: string): Bytes {
  const n = String.UTF8.encode(name);
  return bytesOf(host_secret(changetype<usize>(n), n.byteLength));
}

// file_read returns at most limit bytes, up to 1 MiB, of a file, FOLDER/PATH, from
// offset on; none at its end. See file for all.
export function file_read(path: string, offset: i64, limit: u32): Bytes {
  const p = String.UTF8.encode(path);
  return bytesOf(host_file_read(changetype<usize>(p), p.byteLength, offset, limit));
}

// file returns a file as a whole.
export function file(path: string): Bytes {
  const parts: Uint8Array[] = [];
  let size = 0;
  while (true) {
    const part = file_read(path, size, 1 << 20);
    if (part.error) return part;
    if (part.value.length == 0) break;
    parts.push(part.value);
    size += part.value.length;
  }
  const whole = new Uint8Array(size);
  for (let i = 0, at = 0; i < parts.length; i++) {
    whole.set(parts[i], at);
    at += parts[i].length;
  }
  return new Bytes(0, whole);
}

// file_list returns the names in a folder, sorted; folders end in "/".
export function file_list(path: string): Names {
  const p = String.UTF8.encode(path);
  return namesOf(host_file_list(changetype<usize>(p), p.byteLength));
}

// clock returns the nanoseconds since 1970.
export function clock(): Integer {
  return integerOf(host_clock());
}

// random returns so many random bytes.
export function random(size: i32): Bytes {
  const buffer = new Uint8Array(size);
  let error: Code = 0;
  for (let at = 0; at < size && !error; at += AT_ONCE) {
    error = host_random(buffer.dataStart + at, min(AT_ONCE, size - at));
  }
  return new Bytes(error, buffer);
}

const AT_ONCE = 65536; // bytes
