#!/usr/bin/env bash
# Checks that native libraries may lie in pages of 16 KiB, which phones with Android 15 may have: every segment of each
# that is loaded is aligned for it. An app with one that is not crashes there at its first call.
#   android/check-pages.sh FILE...
# FILE: a library, or an .apk, .aab or .aar, of which each 64-bit library is looked at (32-bit phones have small pages).
# READELF names another readelf than the system's, for instance the NDK's llvm-readelf.
set -euo pipefail

readelf=${READELF:-$(command -v llvm-readelf || command -v readelf || true)}
[ -n "$readelf" ] || { echo "no readelf here: name the NDK's llvm-readelf in READELF" >&2; exit 2; }
[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }

aligned() { # library, name
  "$readelf" -lW "$1" | awk '
    $1 == "LOAD" { seen = 1; if (length($NF) < 6 || $NF == "0x1000" || $NF == "0x2000") bad = 1 }
    END { exit bad || !seen }' || { echo "$2 is not aligned for pages of 16 KiB" >&2; return 1; }
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0
for file in "$@"; do
  case "$file" in
    *.so) aligned "$file" "$file" || bad=1 ;;
    *)
      rm -rf "$work/in" && mkdir "$work/in"
      unzip -q "$file" '*.so' -d "$work/in" || { echo "$file has no native library that can be read" >&2; exit 1; }
      found=0
      while read -r library; do
        found=$((found + 1))
        aligned "$library" "$file: ${library#"$work"/in/}" || bad=1
      done < <(find "$work/in" -name '*.so' \( -path '*/arm64-v8a/*' -o -path '*/x86_64/*' \))
      [ "$found" -gt 0 ] || { echo "$file has no 64-bit library" >&2; bad=1; }
      echo "$file: $found libraries looked at"
      ;;
  esac
done
exit "$bad"
