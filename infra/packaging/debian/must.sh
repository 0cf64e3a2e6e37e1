# For the trials: a step and what it must come to. The first that fails is named and ends them all.
must() {
    what=$1
    shift
    "$@" >/trial.log 2>&1 || { echo "error: $what: \`$*\` failed:"; cat /trial.log; exit 1; } >&2
    echo "   $what"
}
