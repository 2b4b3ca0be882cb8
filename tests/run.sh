#!/usr/bin/env bash
# Everything that `make test` checks, from a bare machine: two lanes side by side, then a real node.
#
#   code      format, lints, generated files, chart, unit tests
#   node      the test cluster's own tests, the cluster itself, the images by their Dockerfiles
#
#   then      api, without an operator that would act on its objects; e2e; and the README's commands, which start a cluster of their own
#   spare     server alone, licences, exporter: in what the tests on the node leave of the processors, because those mostly wait
#
# Without root, or without the kernel features of a node, everything up to the API server runs, and the end says what was left out; with
# CI=true nothing may be left out. Each suite's output is in the log folder, and on the screen when it fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

cache=${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}
export CHEMMODEL_CACHE=$cache
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export PATH="$cache/bin:$HOME/.cargo/bin:$PATH"
logs=$cache/logs
rm -rf "$logs"
mkdir -p "$logs" "$cache/bin"
cluster=$cache/bin/cluster

# suite NAME COMMAND...: runs it, keeps its output, remembers how it ended.
suite() {
	local name=$1 started=$SECONDS log=$logs/$1.log
	shift
	if "$@" >"$log" 2>&1; then
		echo passed >"$logs/$name.result"
		printf '%-22s passed  %4d s   %s\n' "$name" $((SECONDS - started)) "$(counts "$log")"
	else
		echo failed >"$logs/$name.result"
		printf '%-22s FAILED  %4d s   %s\n' "$name" $((SECONDS - started)) "$log"
		tail -n 60 "$log" | sed "s/^/    $name| /"
		return 1
	fi
}

# left_out NAME WHY: loud, and an error in CI.
left_out() {
	printf '%-22s LEFT OUT: %s\n' "$1" "$2"
	if [ -n "${CI:-}" ]; then echo failed; else echo left out; fi >"$logs/$1.result"
}

# Tests passed and failed in a log, by the closing lines of cargo, pytest and go.
counts() {
	awk '
		/^test result:/ { passed += $4; failed += $6 }
		/^=*[ ]*[0-9]+ (passed|failed).* in / { for (i = 1; i < NF; i++) { if ($(i + 1) ~ /^passed/) passed += $i; if ($(i + 1) ~ /^failed/) failed += $i } }
		/^ *--- PASS/ { passed++ }
		/^ *--- FAIL/ { failed++ }
		/^Ran [0-9]+ tests? in / { passed += $2 }
		/^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
		END { if (passed + failed) printf "%d passed, %d failed", passed, failed }' "$1"
}

prepare() {
	local missing=()
	local wanted=(curl:curl jq:jq redis-server:redis-server shellcheck:shellcheck cc:build-essential)
	[ "$(id -u)" != 0 ] || wanted+=(dockerd:docker.io debootstrap:debootstrap)
	for pair in "${wanted[@]}"; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
	done
	python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
	if [ ${#missing[@]} -gt 0 ]; then
		if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
			echo "install these first: ${missing[*]}" >&2
			return 1
		fi
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
	fi
	rustup component add clippy rustfmt >/dev/null 2>&1 || cargo clippy --version
	make --silent cluster-bin
}

lane_code() {
	suite format cargo fmt --all --check
	suite onnxruntime make --silent onnxruntime
	suite clippy cargo clippy --workspace --all-targets --locked -- -D warnings
	suite tools make --silent tools-bin
	ORT_DYLIB_PATH=$(make --silent onnxruntime-path) suite unit cargo test --locked --workspace --exclude chemmodel-tests
	suite contract cargo test --locked --package chemmodel-tests --test contract --test docs
	suite generated make --silent drift
	suite shell make --silent lint-shell
	suite chart make --silent chart
}

# Slow to build, without a lock or a cluster in common with others.
lane_spare() {
	suite bench make --silent test-bench
	suite serve nice -n 19 tests/readme.sh serve
	suite deny nice -n 19 make --silent deny
	suite chem nice -n 19 make --silent test-chem
	suite exporter nice -n 19 make --silent test-exporter
	suite polyid nice -n 19 make --silent test-polyid
	suite clients nice -n 19 make --silent test-clients
	suite predict nice -n 19 make --silent test-predict
}

# The images come after the cluster's tests: those compare the machine before and after, and an engine that builds changes it.
lane_node() {
	suite cluster make --silent test-cluster
	own_cluster || suite cluster-up "$cluster" up
	suite images tests/images/build.sh operator cpu cuda
}

lane_api() {
	suite cluster make --silent test-cluster
	suite cluster-up "$cluster" up --api-only --name api
}

own_cluster() { [ -n "${KUBECONFIG:-}" ] || [ "${CLUSTER:-}" = current ]; }

finish() {
	local passed failed
	cat "$logs"/*.log >"$logs/all" 2>/dev/null
	passed=$(counts "$logs/all" | sed 's/ passed.*//')
	failed=$(grep -lx failed "$logs"/*.result | wc -l)
	rm -f "$logs/all"
	grep -lx failed "$logs"/*.result | sed 's|\.result$|.log|; s|^|failed: see |'
	grep -lx 'left out' "$logs"/*.result | sed 's|.*/||; s|\.result$||; s|^|NOT RUN on this machine: |'
	printf '%s passed, %s failed\n' "${passed:-0}" "$failed"
	[ "$failed" = 0 ]
}

suite prepare prepare || exit 1

node=yes
own_cluster || "$cluster" doctor --install >"$logs/doctor.log" 2>&1 || node=no
if ! own_cluster && "$cluster" status >/dev/null 2>&1; then
	echo "a cluster of yours is running, and a machine holds one node: stop it first by 'make demo-down'" >&2
	exit 1
fi

lane_code &
if [ "$node" = yes ]; then lane_node & else lane_api & fi
wait

lane_spare &
if own_cluster; then
	suite api cargo test --locked --package chemmodel-tests --test api
	left_out e2e "these tests need root on the node and an S3 server: they run on the cluster that they start, without KUBECONFIG"
elif [ "$node" = yes ]; then
	suite load "$cluster" load "$cache"/images/chemmodel-operator.tar "$cache"/images/chemmodel-inference-cpu.tar
	eval "$("$cluster" env)"
	suite prometheus make --silent prometheus
	export PROMETHEUS=$cache/prometheus/usr/bin/prometheus
	suite api cargo test --locked --package chemmodel-tests --test api
	suite e2e cargo test --locked --package chemmodel-tests --test e2e -- --test-threads=4
	suite cluster-down "$cluster" down
	wait # a server alone has the reader's port
	# As a reader has it: without a cluster, without these variables.
	suite readme env -u KUBECONFIG -u KUBECTL -u HELM -u S3_ENDPOINT tests/readme.sh tour
else
	eval "$("$cluster" env --name api)"
	suite api cargo test --locked --package chemmodel-tests --test api
	suite cluster-down "$cluster" down --name api
	left_out images "$(tail -n 1 "$logs/doctor.log")"
	left_out e2e "$(tail -n 1 "$logs/doctor.log")"
	left_out readme "$(tail -n 1 "$logs/doctor.log")"
fi
wait
finish
