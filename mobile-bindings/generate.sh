#!/bin/sh
# Builds the library and writes its Kotlin and Swift bindings: android/generated and ios/Generated.
# They are not committed; the exported surface is, in surface.txt.
set -eu
cd "$(dirname "$0")/.."
cargo build --locked -p renraku-mobile -p renraku-bindgen
target=${CARGO_TARGET_DIR:-target}/debug
library=$target/librenraku_mobile.so
[ "$(uname)" = Darwin ] && library=$target/librenraku_mobile.dylib
rm -rf android/generated ios/Generated
"$target/renraku-bindgen" generate "$library" -l kotlin -n -o android/generated
"$target/renraku-bindgen" generate "$library" -l swift -n -o ios/Generated
echo "wrote android/generated and ios/Generated"
