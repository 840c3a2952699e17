#!/bin/sh
# What the program is made of, into a directory: tern.cdx.json, its parts as CycloneDX 1.5 has them, and
# LICENCES, whose word each part is under and the texts that come with it. From Cargo.lock and the crates
# that cargo has fetched; nothing is downloaded, and the same sources give the same bytes.
set -eu
to=$1
mkdir -p "$to"
tree() {
	cargo tree --offline --locked --edges normal --no-dedupe --prefix none --format "$1" | LC_ALL=C sort -u
}
tree '{p}|{l}' | sed -E 's/ \((proc-macro|\*)\)//g' >"$to/parts"
awk -F '|' '
  function quoted(text) { gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text); return "\"" text "\"" }
  # Cargo.lock: what each crate that was fetched hashes to.
  FILENAME == "Cargo.lock" {
    split($0, word, "\"")
    if ($0 ~ /^name = /) name = word[2]
    if ($0 ~ /^version = /) version = word[2]
    if ($0 ~ /^checksum = /) sum[name " " version] = word[2]
    next
  }
  {
    split($1, part, " ")
    name = part[1]; version = substr(part[2], 2); licence = $2
    gsub("/", " OR ", licence)
    if (licence == "") { print name " " version " names no licence" >"/dev/stderr"; bad = 1; exit }
    if (name == "tern") { own = version; words = licence; next }
    hash = sum[name " " version]
    if (hash == "") { print name " " version " is not in Cargo.lock" >"/dev/stderr"; bad = 1; exit }
    purl = "pkg:cargo/" name "@" version
    found = found (count++ ? ",\n" : "") \
      "    {\"type\": \"library\", \"bom-ref\": " quoted(purl) ", \"name\": " quoted(name) \
      ", \"version\": " quoted(version) ", \"purl\": " quoted(purl) \
      ",\n     \"hashes\": [{\"alg\": \"SHA-256\", \"content\": " quoted(hash) "}]" \
      ", \"licenses\": [{\"expression\": " quoted(licence) "}]}"
  }
  END {
    if (bad) exit bad
    print "{\"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.5\", \"version\": 1,"
    print "  \"metadata\": {\"component\": {\"type\": \"application\", \"bom-ref\": \"tern\", \"name\": \"tern\", " \
      "\"version\": " quoted(own) ", \"licenses\": [{\"expression\": " quoted(words) "}]}},"
    print "  \"components\": [\n" found "\n  ]}"
  }
' Cargo.lock "$to/parts" >"$to/tern.cdx.json.new"
mv "$to/tern.cdx.json.new" "$to/tern.cdx.json"
# Of this machine's kind alone: crates for others need not have been fetched.
host=$(rustc -vV | sed -n 's/^host: //p')
cargo metadata --offline --locked --format-version 1 --filter-platform "$host" >"$to/metadata"
grep -o '"manifest_path":"[^"]*/Cargo.toml"' "$to/metadata" |
	sed 's/^"manifest_path":"//; s/\/Cargo.toml"$//' >"$to/crates"
{
	echo "What tern is made of, and under whose word. The texts are those that come with each part; of"
	echo "parts under several licences, whichever suits."
	cat LICENSE
	while IFS='|' read -r part licence; do
		name=${part%% *}
		version=${part##* v}
		if [ "$name" = tern ]; then continue; fi
		printf '\n======== %s %s: %s\n' "$name" "$version" "$licence"
		directory=$(grep "/$name-$version\$" "$to/crates" | head -n 1)
		if [ -z "$directory" ]; then
			echo "$name $version was not fetched" >&2
			exit 1
		fi
		for file in "$directory"/LICEN[SC]E* "$directory"/COPYING* "$directory"/NOTICE* "$directory"/UNLICENSE*; do
			if [ -f "$file" ]; then
				printf '\n-------- %s\n\n' "$(basename "$file")"
				cat "$file"
			fi
		done
	done <"$to/parts"
} >"$to/LICENCES"
rm "$to/parts" "$to/crates" "$to/metadata"
