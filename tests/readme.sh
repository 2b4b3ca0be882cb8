#!/usr/bin/env bash
# Runs README.md's commands as a reader would.
#   readme.sh tour     make demo, every command of the tour, the chart on "your own cluster", make demo-down
#   readme.sh serve    make serve, and the question to it
# With KUBECONFIG set the tour is on that cluster, which stays as it is but for the demo's namespace and release.
set -euo pipefail
cd "$(dirname "$0")/.."

passed=0
run() {
	printf '\n$ %s\n' "$1"
	eval "$1" </dev/null
	passed=$((passed + 1))
}

# The commands of the first console block after the line that begins with $1, without their comments.
block() {
	awk -v mark="$1" '
		index($0, mark) == 1 { marked = 1 }
		marked && /^```$/ && lines { exit }
		marked && /^\$ / { line = substr($0, 3); lines++; on = 1 }
		marked && !/^\$ / && on { line = line " " $0 }
		on && line ~ /\\$/ { sub(/\\$/, "", line); next }
		on { sub(/ +#.*/, "", line); print line; on = 0 }' README.md
}

tour() {
	make --silent demo
	if [ -z "${KUBECONFIG:-}" ]; then
		eval "$("${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}/bin/cluster" env)"
		kubectl() { "$KUBECTL" "$@"; }
		# shellcheck disable=SC2317  # called by the commands that are run
		helm() { "$HELM" "$@"; }
		own=yes
	fi
	while IFS= read -r command; do run "$command"; done < <(block '<!-- tour -->')
	# The demo's images are there by these names without a registry.
	while IFS= read -r command; do
		case $command in helm*) run "${command//REGISTRY\//}" ;; esac
	done < <(block '## Your own cluster')
	[ "$passed" -ge 10 ] || {
		echo "README.md has lost commands: only $passed were found" >&2
		exit 1
	}
	if [ -n "${own:-}" ]; then make --silent demo-down; else kubectl delete namespace chem --timeout=120s; fi
}

serve() {
	local answer question
	setsid make --silent serve >"${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}/serve.log" 2>&1 &
	server=$!
	trap 'kill -- -"$server" 2>/dev/null || true' EXIT
	# shellcheck disable=SC2016  # the backticks are the README's
	question=$(sed -n 's/.*then `\(curl localhost:8080.*\)`\.$/\1/p' README.md)
	[ -n "$question" ] || {
		echo "README.md has lost its question to 'make serve'" >&2
		exit 1
	}
	until answer=$(eval "$question --silent --fail" 2>/dev/null); do
		kill -0 "$server" || {
			cat "${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}/serve.log" >&2
			exit 1
		}
		sleep 0.5
	done
	echo "$answer"
	[ "$(jq '[.predictions[].prediction | numbers] | length' <<<"$answer")" = 2 ]
	passed=1
}

case ${1:-} in
tour | serve) "$1" ;;
*)
	echo "usage: readme.sh tour | serve" >&2
	exit 2
	;;
esac
printf '\n%d passed, 0 failed\n' "$passed"
