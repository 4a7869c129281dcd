#!/bin/sh
# Builds the core for iPhone and simulator: Core/iphoneos and Core/iphonesimulator, where project.yml looks.
# Needs Xcode, the Rust targets, and FFmpeg built for each platform (see README.md):
#   FFMPEG_IPHONEOS=/path/to/ffmpeg FFMPEG_IPHONESIMULATOR=/path/to/ffmpeg ios/build-core.sh
set -eu
cd "$(dirname "$0")/.."
build() {
    platform=$1 target=$2 ffmpeg=$3
    FFMPEG_DIR=$ffmpeg IPHONEOS_DEPLOYMENT_TARGET=16.0 \
        cargo rustc --locked --release -p renraku-mobile --target "$target" --crate-type staticlib
    mkdir -p "ios/Core/$platform"
    cp "${CARGO_TARGET_DIR:-target}/$target/release/librenraku_mobile.a" "$ffmpeg"/lib/*.a "ios/Core/$platform/"
}
build iphoneos aarch64-apple-ios "$FFMPEG_IPHONEOS"
build iphonesimulator aarch64-apple-ios-sim "$FFMPEG_IPHONESIMULATOR"
