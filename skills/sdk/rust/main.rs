//! Counts the lines, words and bytes of its input.
mod hive;

hive::skill!(run);

fn run(input: &[u8]) -> Result<String, hive::Failure> {
    if input.is_empty() {
        return Err(hive::Failure::permanent("nothing to count"));
    }
    let lines = input.iter().filter(|c| **c == b'\n').count();
    let words = input
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .count();
    hive::info(format!("counted {} words", words));
    Ok(format!(
        "{{\"lines\":{},\"words\":{},\"bytes\":{}}}\n",
        lines,
        words,
        input.len()
    ))
}
