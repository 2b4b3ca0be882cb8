#!/usr/bin/env bash
# Three rollouts, recorded as they happen: a good version, the way back, and a version that answers wrongly. Run it after `make demo`.
#   rollouts.sh [FILE]      writes the session to FILE, docs/rollouts.txt by default
#
# Every command that the recording shows is one that ran. The cluster is that of demo.sh, or yours in the same way.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly NAMESPACE=chem NAME=boiling-point PATIENCE=300
here=examples/demo
# shellcheck source=examples/demo/steps.sh
. "$here/steps.sh"
out=$(realpath -m "${1:-docs/rollouts.txt}")

# What runs beside a step; it does not outlive the step, nor this script.
beside=
work=$(mktemp -d)
trap 'end_beside; rm -rf "$work"' EXIT
mkfifo "$work/watch"

end_beside() {
	[ -z "$beside" ] || kill "$beside" 2>/dev/null || true
	[ -z "$beside" ] || wait "$beside" 2>/dev/null || true # ended by the signal just sent
	beside=
}

title() { printf '\n### %s\n' "$*"; }
note() { printf '\n# %s\n' "$*"; }
run() {
	printf '\n$ %s\n' "$1"
	(cd "$work" && eval "$1")
}

# manifest VERSION WARM: the example with two pods of this version, watched for ten seconds; the old ones stay warm for WARM seconds.
manifest() {
	sed -e "s|endpoint: .*|endpoint: $S3_ENDPOINT|" -e "s|$NAME/v1|$NAME/$1|" -e "s|version: v1|version: $1|" \
		-e 's|autoscaling: .*|replicas: 2|' examples/boiling-point.yaml
	printf '  rollout: {observeSeconds: 10, scaleDownDelaySeconds: %s}\n' "$2"
}

# watch_until VERSION PHASE: every line of `kubectl get --watch` that says something new, up to the one with these.
watch_until() {
	local line='' said='' pattern="^$NAME +$1 +$2 "
	printf '\n$ kubectl -n %s get chemmodel %s --watch\n' "$NAMESPACE" "$NAME"
	"$KUBECTL" -n "$NAMESPACE" get chemmodel "$NAME" --watch >"$work/watch" &
	beside=$!
	while read -r -t "$PATIENCE" line; do
		# Without the age.
		[ "${line% *}" = "$said" ] || printf '%s\n' "$line"
		said=${line% *}
		[[ ! $line =~ $pattern ]] || break
	done <"$work/watch"
	end_beside
	[[ $line =~ $pattern ]] || die "version $1 did not come to phase $2: kubectl -n $NAMESPACE describe chemmodel $NAME"
}

# apply FILE VERSION PHASE: until that version has the traffic, in that phase.
apply() {
	run "kubectl -n $NAMESPACE apply -f $1"
	watch_until "$2" "$3"
}

ask() {
	local port question tries=0
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	question="curl --silent localhost:$port/predict -H 'content-type: application/json' -d '{\"smiles\":\"CCO\"}'"
	printf '\n$ kubectl -n %s port-forward service/%s %s:80 &\n$ %s\n' "$NAMESPACE" "$NAME" "$port" "$question"
	"$KUBECTL" -n "$NAMESPACE" port-forward "service/$NAME" "$port:80" >/dev/null 2>&1 &
	beside=$!
	# A port-forward needs a moment to listen.
	until eval "$question"; do
		tries=$((tries + 1))
		[ "$tries" -lt 40 ] || die "service $NAME does not answer through its port-forward"
		sleep 0.25
	done
	printf '\n'
	end_beside
}

# field JSONPATH: what the status says there.
field() { run "kubectl -n $NAMESPACE get chemmodel $NAME -o jsonpath='$1'"; }

session() {
	printf '# Recorded by examples/demo/rollouts.sh on Kubernetes %s.\n' \
		"$(kubectl version -o json | sed -n 's/.*"gitVersion": "\([^"]*\)".*/\1/p' | tail -n 1)"

	title "A good version: v1 has the traffic, v2 is applied"
	run "kubectl -n $NAMESPACE get chemmodels"
	run "diff v1.yaml v2.yaml || true"
	apply v2.yaml v2 Stable
	note "what the pods of v2 answered before it got the traffic"
	field '{.status.active.verification}{"\n"}'
	ask

	title "The way back: v1 is applied again while its pods are warm"
	run "kubectl -n $NAMESPACE get pods -l app.kubernetes.io/component=server -L chemmodel.io/colour"
	apply v1.yaml v1 Stable
	note "the same pods: none was started"
	run "kubectl -n $NAMESPACE get pods -l app.kubernetes.io/component=server -L chemmodel.io/colour"
	ask
	note "and forward, in the same way"
	apply v2.yaml v2 Stable

	title "A bad version: v3 is v2 with some of its weights altered; it loads, and answers wrongly"
	apply v3.yaml v2 Aborted
	field '{.status.message}{"\n"}'
	note "the three worst molecules"
	field '{range .status.history[0].verification.worst[*]}{@}{"\n"}{end}'
	note "v2 goes on"
	ask

	title "The log of it all"
	field '{range .status.history[*]}{.finishedAt} {.version} {.outcome} {.reason}{"\n"}{end}'
	run "kubectl -n $NAMESPACE get events --field-selector involvedObject.kind=ChemModel --sort-by=.metadata.creationTimestamp \
-o custom-columns=TYPE:.type,REASON:.reason,MESSAGE:.message"
	note "v2 has the traffic already: its spec is applied again, and all is well"
	apply v2.yaml v2 Stable
}

step "Cluster"
use_cluster
kubectl -n "$NAMESPACE" get chemmodel "$NAME" >/dev/null || die "there is no ChemModel $NAME in namespace $NAMESPACE: run 'make demo' first"

step "Model: v3, a bundle that is whole and answers wrongly, goes to S3"
python3 "$here/alter.py" examples/models/boiling-point/v2 "$work/v3"
upload "$work/v3" models/boiling-point/v3
for version in v1 v2 v3; do manifest "$version" 600 >"$work/$version.yaml"; done

step "From v1 alone: a version whose pods are warm would need no verification"
manifest v1 0 | kubectl -n "$NAMESPACE" apply -f -
watch_until v1 Stable
active=$(kubectl -n "$NAMESPACE" get chemmodel "$NAME" -o jsonpath='{.status.active.colour}')
kubectl -n "$NAMESPACE" wait --for=delete pod --timeout="${PATIENCE}s" \
	-l "chemmodel.io/model=$NAME,app.kubernetes.io/component=server,chemmodel.io/colour!=$active"
kubectl -n "$NAMESPACE" apply -f "$work/v1.yaml"

step "Three rollouts"
exec 5>&1 > >(tee "$work/session" >&5)
tee=$!
session
exec >&5 5>&-
wait "$tee"
mv "$work/session" "$out"
step "Recorded in $out"
