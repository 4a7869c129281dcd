#!/bin/sh
# Builds the core for phones into app/src/main/jniLibs. Needs the NDK, cargo-ndk, the Rust target, and FFmpeg
# built for Android as static libraries (see README.md):
#   FFMPEG_DIR=/path/to/ffmpeg android/build-core.sh
set -eu
cd "$(dirname "$0")/.."
: "${FFMPEG_DIR:?is not set: where FFmpeg for arm64-v8a is}"
cargo ndk --target arm64-v8a --platform 26 --output-dir android/app/src/main/jniLibs \
    build --locked --release -p renraku-mobile
