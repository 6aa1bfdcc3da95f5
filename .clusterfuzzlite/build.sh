#!/bin/bash
# Builds the fuzzer's targets as they are, for OSS-Fuzz and ClusterFuzzLite: each goes to $OUT, with its seeds.
set -eu
cd "$SRC/whendone"
cargo fuzz build -O --debug-assertions
for target in fuzz/fuzz_targets/*.rs; do
  name=$(basename "$target" .rs)
  cp "fuzz/target/x86_64-unknown-linux-gnu/release/$name" "$OUT/"
  zip -jqr "$OUT/${name}_seed_corpus.zip" "fuzz/seeds/$name"
done
