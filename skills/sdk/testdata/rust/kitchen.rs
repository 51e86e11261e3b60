//! Calls everything there is, and answers what it was answered.
mod hive;

use std::fmt::Write;
use std::time::Duration;

use hive::{Error, Failure, Level, Request};

hive::skill!(run);

fn run(input: &[u8]) -> Result<String, Failure> {
    match input {
        b"fail" => return Err(Failure::new("not yet")),
        b"fail for good" => return Err(Failure::permanent("never")),
        b"fail until later" => return Err(Failure::after("busy", 90)),
        b"panic" => panic!("the kitchen is on fire"),
        b"error" => hive::secret("MISSING").map(drop)?,
        b"big" => return big(),
        _ => (),
    }
    hive::output(b"input ");
    hive::output(input);
    hive::output(b"\n");
    let mut out = String::new();
    all(&mut out)?;
    Ok(out)
}

/// More than the host gives at once.
fn big() -> Result<String, Failure> {
    let content = hive::file("models/big.bin")?;
    let mut random = vec![0; 100_000];
    hive::random(&mut random)?;
    Ok(format!(
        "{} {} {}",
        content.len(),
        content[content.len() - 1],
        random[99_999]
    ))
}

/// What was answered, or the error's name.
fn told<T: ToString>(answer: Result<T, Error>) -> String {
    answer.map_or_else(|err| err.to_string(), |value| value.to_string())
}

fn utf8(answer: Result<Vec<u8>, Error>) -> String {
    told(answer.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn done(answer: Result<(), Error>) -> String {
    told(answer.map(|()| "done"))
}

fn names(answer: Result<Vec<String>, Error>) -> String {
    told(answer.map(|names| names.join(",")))
}

fn all(out: &mut String) -> Result<(), Failure> {
    let task = hive::task()?;
    let deadline = task.deadline.unwrap_or_default();
    writeln!(
        out,
        "task {} {} {} {} {} {}",
        task.id, task.attempt, task.skill, task.digest, deadline, task.spore
    )?;
    for (name, value) in &task.tags {
        writeln!(out, "tag {} {}", name, value)?;
    }
    writeln!(out, "log {}", done(hive::log(Level::Warn, "zażółć")))?;
    keys(out)?;
    writeln!(
        out,
        "spawn {}",
        told(hive::spawn("summarize@1.2.0", "text"))
    )?;
    writeln!(out, "spawn {}", told(hive::spawn("other", "")))?;
    writeln!(out, "emit {}", done(hive::emit("part")))?;
    writeln!(out, "emit {}", done(hive::emit("too much")))?;
    writeln!(
        out,
        "progress {}",
        done(hive::progress(1, 3, "one of three"))
    )?;
    requests(out)?;
    writeln!(out, "secret {}", utf8(hive::secret("TOKEN")))?;
    writeln!(out, "secret {}", utf8(hive::secret("MISSING")))?;
    writeln!(
        out,
        "file_read {}",
        utf8(hive::file_read("models/a.txt", 1 << 32, 8))
    )?;
    writeln!(out, "file {}", utf8(hive::file("models/b.txt")))?;
    writeln!(out, "file_list {}", names(hive::file_list("models")))?;
    writeln!(
        out,
        "clock {}",
        told(hive::clock().map(|now| now.as_nanos()))
    )?;
    let mut random = [0; 4];
    let answer = hive::random(&mut random);
    let random = random.map(|n| n.to_string()).join(",");
    writeln!(out, "random {}", told(answer.map(|()| random)))?;
    Ok(())
}

fn keys(out: &mut String) -> Result<(), Failure> {
    let minute = Duration::from_secs(60);
    writeln!(
        out,
        "kv_set {}",
        done(hive::kv_set("totals", "a", "one", minute))
    )?;
    writeln!(
        out,
        "kv_set {}",
        done(hive::kv_set("", "", "nothing", Duration::ZERO))
    )?;
    writeln!(
        out,
        "kv_get {}",
        told(hive::kv_get("totals", "a").map(|v| String::from_utf8(v.unwrap()).unwrap()))
    )?;
    writeln!(
        out,
        "kv_get {}",
        told(hive::kv_get("", "missing").map(|v| v.map_or("absent", |_| "there")))
    )?;
    writeln!(out, "kv_delete {}", done(hive::kv_delete("", "a")))?;
    writeln!(
        out,
        "kv_incr {}",
        told(hive::kv_incr("", "n", -5_000_000_000))
    )?;
    writeln!(
        out,
        "kv_cas {}",
        told(hive::kv_cas("", "a", Some(b"old"), Some(b"new")).map(i32::from))
    )?;
    writeln!(
        out,
        "kv_cas {}",
        told(hive::kv_cas("", "a", None, Some(b"new")).map(i32::from))
    )?;
    writeln!(
        out,
        "kv_cas {}",
        told(hive::kv_cas("", "a", Some(b"new"), None).map(i32::from))
    )?;
    writeln!(out, "kv_list {}", names(hive::kv_list("", "p", "p1", 2)))?;
    writeln!(out, "kv_keys {}", names(hive::kv_keys("", "p")))?;
    Ok(())
}

fn requests(out: &mut String) -> Result<(), Failure> {
    let request = Request::new("POST", "https://example.com/v1")
        .header("content-type", "text/plain")
        .header("x-bee", "1");
    let response = request.body("honey").send().map(|r| {
        format!(
            "{} {} {} {}",
            r.status,
            r.header("content-type").unwrap_or("none"),
            r.header("x-none").unwrap_or("none"),
            String::from_utf8_lossy(&r.body)
        )
    });
    writeln!(out, "http {}", told(response))?;
    for url in [
        "https://empty.example",
        "https://denied.example",
        "https://down.example",
        "https://example.com\nhost: a",
    ] {
        let response = Request::new("GET", url).send();
        writeln!(
            out,
            "http {}",
            told(response.map(|r| format!("{} {} {}", r.status, r.headers.len(), r.body.len())))
        )?;
    }
    Ok(())
}
