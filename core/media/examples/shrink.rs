//! Shrinks one photo: `shrink INPUT OUTPUT THUMBNAIL [QUALITY]`. A whole process for comparing with others.

use renraku_media::{Cancel, photo};
use std::{env, fs, process};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (Some(input), Some(output), Some(thumbnail)) =
        (arguments.first(), arguments.get(1), arguments.get(2))
    else {
        eprintln!("usage: shrink INPUT OUTPUT THUMBNAIL [QUALITY]");
        process::exit(2);
    };
    let mut plan = photo::Plan::default();
    if let Some(quality) = arguments.get(3).and_then(|q| q.parse().ok()) {
        plan.quality = quality;
    }
    let done = fs::read(input)
        .map_err(renraku_media::MediaError::from)
        .and_then(|bytes| photo::compress(&bytes, &plan, &Cancel::new()))
        .and_then(|made| {
            fs::write(output, &made.photo)?;
            fs::write(thumbnail, &made.thumbnail)?;
            Ok(())
        });
    if let Err(e) = done {
        eprintln!("{e}");
        process::exit(1);
    }
}
