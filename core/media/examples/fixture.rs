//! Writes the synthetic originals: `fixture photo FILE [SEED]`, `fixture film FILE [SECONDS]`, or the corpus of
//! the tests: `fixture corpus FOLDER`.

use renraku_media::fixture;
use std::path::Path;
use std::{env, fs, process};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(10_u8);
    let written = match (arguments.first().map(String::as_str), arguments.get(1)) {
        (Some("photo"), Some(file)) => fs::write(file, fixture::phone_photo(number.into())),
        (Some("film"), Some(file)) => fixture::phone_film(Path::new(file), number.into()),
        (Some("corpus"), Some(folder)) => fixture::corpus(Path::new(folder)),
        _ => {
            eprintln!(
                "usage: fixture photo FILE [SEED] | fixture film FILE [SECONDS] | fixture corpus FOLDER"
            );
            process::exit(2);
        }
    };
    if let Err(e) = written {
        eprintln!("{e}");
        process::exit(1);
    }
}
