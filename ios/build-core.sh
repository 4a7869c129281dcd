#!/usr/bin/env bash
# Builds the core as ios/Core/RenrakuCoreFFI.xcframework, with slices for iPhone and iPad, the simulator and
# macOS (the Mac slice is what Swift tests on a Mac link):
#   ios/build-core.sh [ios] [simulator] [macos]        all three when none is named
# Needs a Mac with Xcode and the Rust targets; what is missing is said. FFmpeg and OpenSSL are built on first use by
# scripts/ffmpeg/build and scripts/openssl/build, and are inside the libraries. Writes the bindings first
# (ios/Generated).
set -euo pipefail
cd "$(dirname "$0")/.."

case "${1:-}" in -h | --help) sed -n '2,7s/^# \{0,1\}//p' ios/build-core.sh; exit 0 ;; esac
slices=("$@")
[ ${#slices[@]} -gt 0 ] || slices=(ios simulator macos)
[ "$(uname)" = Darwin ] || { echo "this needs a Mac with Xcode" >&2; exit 1; }
xcrun --find xcodebuild >/dev/null || { echo "Xcode is missing" >&2; exit 1; }

export IPHONEOS_DEPLOYMENT_TARGET=16.0 MACOSX_DEPLOYMENT_TARGET=13.0
target=${CARGO_TARGET_DIR:-target}
work=$target/xcframework
rm -rf "$work"
mkdir -p "$work/headers"

mobile-bindings/generate.sh
cp ios/Generated/RenrakuCoreFFI.h "$work/headers/"
# An xcframework's module map has this name, whatever the module is called.
cp ios/Generated/RenrakuCoreFFI.modulemap "$work/headers/module.modulemap"

# One processor: the core and FFmpeg in one library.
one() {
  local rust=$1 platform=$2 out=$3
  rustup target list --installed | grep -qx "$rust" || {
    echo "Rust's library for $rust is missing: rustup target add $rust" >&2
    exit 1
  }
  FFMPEG_DIR=$(scripts/ffmpeg/build "$platform")
  export FFMPEG_DIR
  openssl=$(scripts/openssl/build "$platform")
  eval "$openssl"
  cargo rustc --locked --profile phone -p renraku-mobile --target "$rust" --lib --crate-type staticlib
  xcrun libtool -static -no_warning_for_no_symbols -o "$out" \
    "$target/$rust/phone/librenraku_mobile.a" "$FFMPEG_DIR"/lib/*.a
}

arguments=()
for slice in "${slices[@]}"; do
  mkdir -p "$work/$slice"
  library=$work/$slice/librenraku_core.a
  case "$slice" in
    ios) one aarch64-apple-ios iphoneos-arm64 "$library" ;;
    simulator)
      one aarch64-apple-ios-sim iphonesimulator-arm64 "$work/$slice/arm64.a"
      one x86_64-apple-ios iphonesimulator-x86_64 "$work/$slice/x86_64.a"
      xcrun lipo -create "$work/$slice"/{arm64,x86_64}.a -output "$library"
      ;;
    macos)
      one aarch64-apple-darwin macosx-arm64 "$work/$slice/arm64.a"
      one x86_64-apple-darwin macosx-x86_64 "$work/$slice/x86_64.a"
      xcrun lipo -create "$work/$slice"/{arm64,x86_64}.a -output "$library"
      ;;
    *) echo "no such slice: $slice (there are ios, simulator, macos)" >&2; exit 2 ;;
  esac
  arguments+=(-library "$library" -headers "$work/headers")
done

mkdir -p ios/Core
rm -rf ios/Core/RenrakuCoreFFI.xcframework
xcrun xcodebuild -create-xcframework "${arguments[@]}" -output ios/Core/RenrakuCoreFFI.xcframework
echo "wrote ios/Core/RenrakuCoreFFI.xcframework"
