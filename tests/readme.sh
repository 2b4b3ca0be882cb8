#!/usr/bin/env bash
# Runs README.md's commands as a reader would: `make demo`, then every command of the tour. The cluster stays up, the demo's namespace goes.
set -euo pipefail
cd "$(dirname "$0")/.."

make --silent demo
if [ -z "${KUBECONFIG:-}" ]; then
	eval "$("${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}/bin/cluster" env)"
	kubectl() { "$KUBECTL" "$@"; }
fi

# The commands of the console block after the mark.
tour=$(awk '/^<!-- tour -->/ { marked = 1 } marked && /^\$ / { print substr($0, 3) } marked && /^```$/ { exit }' README.md)
commands=0
while IFS= read -r command; do
	printf '\n$ %s\n' "$command"
	eval "$command" </dev/null
	commands=$((commands + 1))
done <<<"$tour"
# What a later test counts must not be this ChemModel's doing.
kubectl delete namespace chem --timeout=120s
[ "$commands" -ge 5 ] || { echo "the tour in README.md was not found" >&2; exit 1; }
printf '\n%d passed, 0 failed\n' "$commands"
