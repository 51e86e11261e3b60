// Calls everything there is, and answers what it was answered.
import * as hive from "./hive";

export function hive_run(size: i32): i32 {
  return hive.answer(run(hive.input(size)));
}

let out = "";

function run(input: Uint8Array): Uint8Array | null {
  const verb = hive.text(input);
  if (verb == "fail") return hive.fail("not yet");
  if (verb == "fail for good") return hive.fail("never", true);
  if (verb == "fail until later") return hive.fail("busy", false, 90);
  if (verb == "panic") throw new Error("the kitchen is on fire");
  if (verb == "error") return hive.fail(hive.describe(hive.secret("MISSING").error));
  if (verb == "chance") return hive.bytes((Math.random() == Math.random()).toString());
  if (verb == "big") return big();
  hive.output(hive.bytes("input "));
  hive.output(input);
  hive.output(hive.bytes("\n"));
  all();
  return hive.bytes(out);
}

// big asks for more than the host gives at once.
function big(): Uint8Array {
  const content = hive.file("models/big.bin").value, random = hive.random(100000).value;
  return hive.bytes(`${content.length} ${content[content.length - 1]} ${random[99999]}`);
}

function say(name: string, error: hive.Code, value: string): void {
  out += `${name} ${error ? hive.describe(error) : value}\n`;
}

function done(name: string, code: hive.Code): void {
  say(name, min(code, 0), "done");
}

function all(): void {
  const task = hive.task();
  say("task", task.error, `${task.id} ${task.attempt} ${task.skill} ${task.digest} ${task.deadline} ${task.spore}`);
  const tags = task.tags.keys();
  for (let i = 0; i < tags.length; i++) say("tag", 0, tags[i] + " " + task.tags.get(tags[i]));
  done("log", hive.log(hive.WARN, "zażółć"));
  keys();
  let id = hive.spawn("summarize@1.2.0", hive.bytes("text"));
  say("spawn", id.error, id.value);
  id = hive.spawn("other", new Uint8Array(0));
  say("spawn", id.error, id.value);
  done("emit", hive.emit(hive.bytes("part")));
  done("emit", hive.emit(hive.bytes("too much")));
  done("progress", hive.progress(1, 3, "one of three"));
  requests();
  let value = hive.secret("TOKEN");
  say("secret", value.error, value.text);
  value = hive.secret("MISSING");
  say("secret", value.error, value.text);
  value = hive.file_read("models/a.txt", 1 << 32, 8);
  say("file_read", value.error, value.text);
  value = hive.file("models/b.txt");
  say("file", value.error, value.text);
  const list = hive.file_list("models");
  say("file_list", list.error, list.value.join(","));
  const now = hive.clock();
  say("clock", now.error, now.value.toString());
  const random = hive.random(4);
  say("random", random.error, random.value.toString());
}

function keys(): void {
  done("kv_set", hive.kv_set("totals", "a", hive.bytes("one"), 60));
  done("kv_set", hive.kv_set("", "", hive.bytes("nothing")));
  let value = hive.kv_get("totals", "a");
  say("kv_get", value.error, value.text);
  value = hive.kv_get("", "missing");
  say("kv_get", value.error, value.text);
  done("kv_delete", hive.kv_delete("", "a"));
  const number = hive.kv_incr("", "n", -5000000000);
  say("kv_incr", number.error, number.value.toString());
  const old = hive.bytes("old"), next = hive.bytes("new");
  let swapped = hive.kv_cas("", "a", old, next);
  say("kv_cas", min(swapped, 0), swapped.toString());
  swapped = hive.kv_cas("", "a", null, next);
  say("kv_cas", min(swapped, 0), swapped.toString());
  swapped = hive.kv_cas("", "a", next, null);
  say("kv_cas", min(swapped, 0), swapped.toString());
  let names = hive.kv_list("", "p", "p1", 2);
  say("kv_list", names.error, names.value.join(","));
  names = hive.kv_keys("", "p");
  say("kv_keys", names.error, names.value.join(","));
}

function requests(): void {
  const request = new hive.Request("POST", "https://example.com/v1").header("content-type", "text/plain").header("x-bee", "1");
  const r = request.body(hive.bytes("honey")).send();
  const none = r.header("x-none") == "" ? "none" : "there";
  say("http", r.error, `${r.status} ${r.header("content-type")} ${none} ${hive.text(r.body)}`);
  const urls = ["https://empty.example", "https://denied.example", "https://down.example", "https://example.com\nhost: a"];
  for (let i = 0; i < urls.length; i++) {
    const r = new hive.Request("GET", urls[i]).send();
    say("http", r.error, `${r.status} ${r.headers.length} ${r.body.length}`);
  }
}
