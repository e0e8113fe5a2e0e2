# check.sh -- what the labs' checks share; sourced by each lab's `check IMAGE FOLDER`.
#
# A check asks the machine, not the guest's word alone: it draws numbers anew each time, and counts exits or walks page tables.
# SWIFTLET_BIN is where a solution's own swiftlet is (patched.sh). Guests run on this host's /dev/kvm, or in the SVM lab (../lab) where there is none or SVM=1 is set: `run` hides which.

set -u
lab=$(basename "$(dirname "$0")")
image=$1 folder=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$image" "$work/guest.elf"
cp "${SWIFTLET_BIN:-$top/bin}/swiftlet" "$top/bin/swiftlet-walk" "$work/"

# Runs shell text in a folder with swiftlet, swiftlet-walk and guest.elf; what it says is then in $said, its status in $status.
run() { # TEXT
    if [ -z "${SVM:-}" ] && [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
        said=$(cd "$work" && PATH=$work:$PATH timeout 60 sh -c "$1" 2>&1 </dev/null)
    else
        said=$("$top/lab/svm.sh" "$work" /bin/sh -c "$1" 2>&1)
    fi
    status=$?
}

draw() { # LOW HIGH: a number between them that no guest can know
    echo $(($1 + $(od -An -N4 -tu4 /dev/urandom) % ($2 - $1 + 1)))
}

says() { # LINE: a line of $said is this
    printf '%s\n' "$said" | grep -qxF -- "$1"
}

calls() { # NAME: how often the guest made that call, from --stats=json in $said
    printf '%s\n' "$said" | sed -n 's/.*"calls":{\([^}]*\)}.*/\1/p' | tr , '\n' | sed -n "s/^\"$1\"://p" | grep . || echo 0
}

exits() { # all exits, from --stats=json in $said
    printf '%s\n' "$said" | grep '^{"outcome"' | grep -o '"count":[0-9]*,"run_ns"' | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'
}

not_yet() { # WHAT is wrong
    echo "$lab: not yet: $1"
    echo "the run said (status $status):"
    printf '%s\n' "$said" | cut -c 1-200 | head -20 | sed 's/^/    /'
    exit 1
}

pass() {
    echo "$lab: pass"
}
