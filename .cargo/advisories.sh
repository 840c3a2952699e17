#!/bin/sh
# Makes of .cargo/advisories.txt, on standard input, a directory as cargo-deny keeps it: a file a fault.
set -eu
directory=$1
rm -rf "$directory"
mkdir -p "$directory/.git" "$directory/crates"
# It asks how old its list is by this file; how old it is in truth, `make deny` has said.
: >"$directory/.git/FETCH_HEAD"
: >"$directory/stored"
awk -F ' *[|] *' -v to="$directory/crates" '
  function list(text, parts, n, i, out) {
    n = split(text, parts, / *; */)
    for (i = 1; i <= n; i++) out = out (i > 1 ? ", " : "") "\"" parts[i] "\""
    return out
  }
  /^#/ || NF == 0 { next }
  NF != 7 { print "not seven fields: " $0 >"/dev/stderr"; bad = 1; exit }
  {
    file = to "/" $1 ".md"
    print "```toml\n[advisory]\nid = \"" $1 "\"\npackage = \"" $2 "\"\ndate = \"" $3 "\"" >file
    if ($4 != "") print "informational = \"" $4 "\"" >file
    print "\n[versions]\npatched = [" list($5) "]\nunaffected = [" list($6) "]\n```\n\n# " $7 >file
    close(file)
  }
  END { exit bad }
'
