// walk.rs lists what walk/main.go does, in Rust.
use std::{env, fs, io, path::Path};

fn walk(path: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_symlink() {
        println!("{} -> {}", path.display(), fs::read_link(path)?.display());
    } else if kind.is_file() {
        println!("{}: {}", path.display(), fs::read_to_string(path)?);
    } else {
        println!("{}/", path.display());
        for entry in fs::read_dir(path)? {
            walk(&entry?.path())?;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    walk(Path::new(&env::args().nth(1).unwrap()))
}
