//! Makes one film small: `film INPUT OUTPUT`. A whole process for comparing with others.

use renraku_media::{Cancel, video};
use std::{env, process};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: film INPUT OUTPUT");
        process::exit(2);
    };
    let plan = video::Plan::default();
    let made = video::transcode(input, &plan, &mut |_| (), &Cancel::new());
    if let Err(e) = made.and_then(|film| Ok(std::fs::write(output, film.bytes)?)) {
        eprintln!("{e}");
        process::exit(1);
    }
}
