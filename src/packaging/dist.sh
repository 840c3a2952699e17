#!/bin/sh
# Makes what is given away, in target/dist: a static program and a Debian package for each kind of
# machine, and their checksums. `make dist` calls it, with the path of cargo-deb. With `debug` behind that
# it makes the package alone, in target/dist-debug, of the program that `cargo build` made: for tests. With
# `program TARGET` it makes that program alone, and leaves it where cargo does.
#
# Nothing here is C, so that the linker of the Rust toolchain is enough for every target; the programs
# need nothing of the machine they come to, neither a C library nor its version. The same commit gives the
# same bytes: times are the commit's, and no path of this machine is left in them.
set -eu
cd "$(dirname "$0")/../.."

cargo_deb=$1
mode=${2:-release}
targets="x86_64-unknown-linux-musl aarch64-unknown-linux-musl armv7-unknown-linux-musleabihf"
# A memory card and a slow line are what a program is kept on and comes by. It shall be 5,000,000; with
# pictures, posts for few, polls and what apps ask it is 7,689,288, and grows little further.
bytes_max=7695000

dist=target/dist
# Where Cargo.toml looks for what the package holds.
made=target/dist-made
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

fail() {
  echo "make dist: $*" >&2
  exit 1
}

# The standard library of a target, without which it cannot be built for.
has_library() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ]
}

# What is optimised for size is so function by function; how the whole is linked follows from the last
# option, and with less than that nothing would be vectorised, whatever Cargo.toml says of its package.
# Where size counts, a function that only hints that it wants to be inlined is so up to the size of any
# other, 50 and not 325: 0.3 MB less, for 4 to 7 in 100 more instructions of a page or a post.
build() {
  cargo rustc --locked --profile small --bin tern --target "$1" \
    --config "target.$1.linker='rust-lld'" \
    --config "target.$1.rustflags=['--remap-path-prefix=$PWD=/tern', \
      '--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/crates', \
      '--remap-path-prefix=$(rustc --print sysroot)/lib/rustlib/src/rust=/rust', \
      '-Cllvm-args=-inlinehint-threshold=50', \
      '-Clink-arg=--icf=all', '-Clink-arg=--pack-dyn-relocs=relr']" -- -Copt-level=3
}

# What the package holds besides the program and what lies in src: made by the program from its own table.
documents() {
  rm -rf $made
  mkdir -p $made
  "$1" man >$made/tern.1
  for shell in bash zsh fish; do
    "$1" completions $shell >$made/tern.$shell
  done
  notices >$made/NOTICES
  printf 'tern (%s) unstable; urgency=medium\n\n  * What is new in it: the notes of its tag.\n\n -- %s  %s\n' \
    "$version" "$(sed -n 's/^maintainer = "\(.*\)"/\1/p' Cargo.toml)" \
    "$(LC_ALL=C date --utc --date="@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S +0000')" >$made/changelog
}

# The licences of all that is linked into the program, which want to be passed on with it. Of two that may
# be chosen between, the MIT licence.
notices() {
  cargo metadata --locked --format-version 1 |
    jq -r '.packages[] | select(.source) | [.name + " v" + .version, .license, .manifest_path] | @tsv' |
    sort >$made/crates
  cargo tree --locked --edges normal,no-proc-macro --prefix none --format '{p}' |
    sed 's/ (.*//' | sort -u >$made/linked
  join -t "$(printf '\t')" $made/linked $made/crates |
    while IFS="$(printf '\t')" read -r crate license manifest; do
      printf '======== %s: %s\n\n' "$crate" "$license"
      directory=$(dirname "$manifest")
      for file in "$directory"/*MIT* "$directory"/LICEN[CS]E* "$directory"/COPYING*; do
        if [ -f "$file" ]; then
          cat "$file"
          echo
          break
        fi
      done
    done
  rm $made/crates $made/linked
}

if [ "$mode" = program ]; then
  has_library "$3" || fail "no program for $3: its standard library is missing (rustup target add $3)"
  build "$3"
  exit
fi
[ -x "$cargo_deb" ] || fail "no packages without cargo-deb"
command -v jq >/dev/null || fail "jq is missing (Debian: apt-get install jq)"
command -v xz >/dev/null || fail "xz is missing (Debian: apt-get install xz-utils)"
if [ "$mode" = debug ]; then
  documents target/debug/tern
  "$cargo_deb" --no-build --profile dev --fast --output target/dist-debug/
  exit
fi

rm -rf $dist
mkdir -p $dist

built=
for target in $targets; do
  if ! has_library "$target"; then
    echo "no program and no package for $target: its standard library is missing (rustup target add $target)"
    continue
  fi
  build "$target"
  program=target/$target/small/tern
  bytes=$(wc -c <$program)
  [ "$bytes" -le $bytes_max ] || fail "$program has $bytes bytes, more than $bytes_max"
  echo "$target: $bytes bytes"
  cp $program "$dist/tern-$version-${target%%-*}"
  built="$built $target"
  # Any of them makes the same documents, but only those of this machine's kind run.
  if [ ! -e $made/done ] && $program --version >/dev/null 2>&1; then
    documents $program
    touch $made/done
  fi
done
[ -n "$built" ] || fail "no target can be built on this machine"
[ -e $made/done ] || fail "none of$built runs on this machine, to print the manual page"

for target in $built; do
  "$cargo_deb" --no-build --no-strip --profile small --target "$target" --output $dist/
done
rm $made/done
(cd $dist && sha256sum -- tern* >SHA256SUMS)
if command -v lintian >/dev/null; then
  # Static by intent: see above.
  lintian --fail-on error --suppress-tags statically-linked-binary --allow-root --tag-display-limit 0 $dist/*.deb
else
  echo "packages not looked at by lintian: it is missing (Debian: apt-get install lintian)"
fi
ls -l $dist
