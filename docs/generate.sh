#!/bin/sh
# generate.sh -- man pages and shell completions, made from what each program says of itself: `make docs`.
#
#   generate.sh BIN OUT     BIN: the folder of swiftlet and swiftlet-*; OUT gets man/man1/*.1 and completions/SHELL/*
#
# A page is --help through help2man, one for each subcommand of a program too (swiftlet-bench-exits.1); completions are
# --generate-completion-script. A program that has no completions has none; one without help is an error. Dates are those
# of the last commit, so that two runs give the same bytes.

set -eu
bin=$1 out=$2
command -v help2man >/dev/null || { echo "generate.sh: help2man is missing: apt-get install help2man" >&2; exit 1; }
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || date +%s)
    export SOURCE_DATE_EPOCH
fi
version=$("$bin/swiftlet" --version | sed 's/^swiftlet //')

# The first sentence of a help text, in lower case and without its full stop.
summary() { # COMMAND
    $1 --help | awk 'NF == 0 || /^[Uu]sage:/ { if (text != "") exit; next } { text = text (text == "" ? "" : " ") $0 }
        END { sub(/^swiftlet[^:]*: /, "", text); sub(/\.( .*)?$/, "", text)
              print tolower(substr(text, 1, 1)) substr(text, 2) }'
}

page() { # NAME COMMAND
    others=$(for other in $names; do [ "$other" = "$1" ] || printf '%s(1), ' "$other"; done)
    printf '[SEE ALSO]\n%s\n' "${others%, }" >"$out/see-also"
    help2man --no-info --section=1 --name="$(summary "$2")" --version-string="$1 (Swiftlet) $version" \
        --include="$out/see-also" --output="$out/man/man1/$1.1" "$2"
    rm "$out/see-also"
}

# The names under "Subcommands:" in a program's help: its lines there are indented by two, what explains them by more.
subcommands() { # COMMAND
    $1 --help | awk '/^Subcommands:/ { inside = 1; next } inside && /^$/ { exit } inside && /^  [a-z]/ { print $1 }'
}

completions() { # NAME
    for shell in bash:"$1" zsh:"_$1" fish:"$1.fish"; do
        file=$out/completions/${shell%%:*}/${shell#*:}
        "$bin/$1" --generate-completion-script "${shell%%:*}" >"$file" 2>/dev/null || rm "$file"
    done
}

rm -rf "$out/man" "$out/completions"
mkdir -p "$out/man/man1" "$out/completions/bash" "$out/completions/zsh" "$out/completions/fish"
programs=$(cd "$bin" && echo swiftlet swiftlet-*)
nested=$(for name in $programs; do
    [ "$name" = swiftlet ] || subcommands "$bin/$name" | sed "s/^/$name-/"
done)
names=$(echo swiftlet-run swiftlet-restore $programs $nested | tr ' ' '\n' | sort)
for name in $programs; do
    page "$name" "$bin/$name"
    completions "$name"
done
for name in $nested; do
    program=${name%-*}
    page "$name" "$bin/$program ${name##*-}"
done
page swiftlet-run "$bin/swiftlet run"
page swiftlet-restore "$bin/swiftlet restore"
