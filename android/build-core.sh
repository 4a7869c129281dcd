#!/usr/bin/env bash
# Builds the core for Android into app/src/main/jniLibs:
#   android/build-core.sh [ABI…]        arm64-v8a and x86_64 when none is named; armeabi-v7a is possible
# Needs ANDROID_NDK_HOME (r26 or later), cargo-ndk and the Rust targets; what is missing is said, and how to get
# it. FFmpeg and OpenSSL are built on first use by scripts/ffmpeg/build and scripts/openssl/build, as static
# libraries inside the core.
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in -h | --help) sed -n '2,6s/^# \{0,1\}//p' android/build-core.sh; exit 0 ;; esac
abis=("$@")
[ ${#abis[@]} -gt 0 ] || abis=(arm64-v8a x86_64)
: "${ANDROID_NDK_HOME:?is not set: where the NDK is (Android Studio: SDK Manager, SDK Tools, NDK)}"
cargo ndk --version >/dev/null 2>&1 || { echo "cargo-ndk is missing: cargo install cargo-ndk" >&2; exit 1; }

libraries=android/app/src/main/jniLibs
tools=$(echo "$ANDROID_NDK_HOME"/toolchains/llvm/prebuilt/*)/bin
for abi in "${abis[@]}"; do
  case "$abi" in
    arm64-v8a) target=aarch64-linux-android ;;
    x86_64) target=x86_64-linux-android ;;
    armeabi-v7a) target=armv7-linux-androideabi ;;
    *) echo "no such ABI: $abi (there are arm64-v8a, x86_64, armeabi-v7a)" >&2; exit 2 ;;
  esac
  rustup target list --installed | grep -qx "$target" || {
    echo "Rust's library for $target is missing: rustup target add $target" >&2
    exit 1
  }
  FFMPEG_DIR=$(scripts/ffmpeg/build "android-$abi")
  export FFMPEG_DIR
  openssl=$(scripts/openssl/build "android-$abi")
  eval "$openssl"
  # Pages of 16 KiB, which Android 15 asks for. FFmpeg's assembler wants its own symbols and nobody else's. Its
  # MediaCodec encoder lives in the NDK's media library.
  name=$(echo "$target" | tr 'a-z-' 'A-Z_')
  export "CARGO_TARGET_${name}_RUSTFLAGS=-C link-arg=-Wl,-z,max-page-size=16384 -C link-arg=-Wl,-Bsymbolic \
-C link-arg=-lmediandk -C link-arg=-landroid -C link-arg=-lz -C link-arg=-lm"
  # What the profile leaves of the symbols, a phone does not need either. As the only kind of library that is
  # built, it is optimised as a whole.
  CARGO_PROFILE_PHONE_STRIP=symbols cargo ndk --target "$abi" --platform 26 \
    rustc --locked --profile phone -p renraku-mobile --lib --crate-type cdylib
  library=$libraries/$abi/librenraku_mobile.so
  mkdir -p "${library%/*}"
  cp "${CARGO_TARGET_DIR:-target}/$target/phone/librenraku_mobile.so" "$library"
  READELF=$tools/llvm-readelf android/check-pages.sh "$library"
  "$tools/llvm-readelf" -d "$library" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | while read -r needed; do
    case "$needed" in
      libc.so | libm.so | libdl.so | liblog.so | libz.so | libandroid.so | libmediandk.so) ;;
      *) echo "$library needs $needed, which no phone has" >&2; exit 1 ;;
    esac
  done
  ls -l "$library"
done
