//! How fast a photo is made, and how that compares with `vipsthumbnail` from libvips: whole processes,
//! turn by turn in one run, on the same 12-megapixel photo, with the sizes and the likeness of both results.
//! Times are printed, never asserted: machines differ, a ratio within one run says more.

#[path = "photo/compare.rs"]
mod compare;

use criterion::{Criterion, Throughput};
use renraku_media::{Cancel, fixture, photo};

fn main() {
    let original = fixture::phone_photo(1);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut group = criterion.benchmark_group("photo");
    group.throughput(Throughput::Elements(4032 * 3024));
    let plan = photo::Plan::default();
    group.bench_function("compress 12 MP, with thumbnail", |b| {
        b.iter(|| photo::compress(&original, &plan, &Cancel::new()));
    });
    let Ok(made) = photo::compress(&original, &plan, &Cancel::new()) else {
        eprintln!("the photo of the bench could not be compressed");
        return;
    };
    group.throughput(Throughput::Elements(2048 * 1536));
    group.bench_function("verify 3 MP", |b| b.iter(|| photo::verify(&made.photo, &photo::Limits::default())));
    group.bench_function("thumbnail of 3 MP", |b| b.iter(|| photo::thumbnail(&made.photo, 400)));
    group.finish();
    criterion.final_summary();
    // `cargo test` runs benches once, with --test, to see that they work.
    if std::env::args().any(|a| a == "--bench")
        && let Err(e) = compare::with_vips(&original)
    {
        println!("NOT COMPARED with vipsthumbnail: {e}");
    }
}
