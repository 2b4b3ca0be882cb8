# The steps of the demo, one function each. Sourced by demo.sh, which sets NAMESPACE and here.
# shellcheck shell=bash
# shellcheck disable=SC2317  # functions that stand in for kubectl and helm are called by name

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
say() { printf '%s\n' "$*"; }
die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

images_dir() { printf '%s/images\n' "${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}"; }
# Decided once, at the start: the demo's own cluster sets KUBECONFIG too.
given=${KUBECONFIG:-}${CLUSTER:-}
own_cluster() { [ -n "$given" ]; }

# Leaves kubectl, helm and the S3 variables usable. What runs in the background is called as "$KUBECTL": a function would run in a
# shell of its own, and a signal to that shell would leave the program behind.
use_cluster() {
	if own_cluster; then
		KUBECTL=${KUBECTL:-$(command -v kubectl)} || die "kubectl is missing: install it, it is the way to your cluster"
		HELM=${HELM:-$(command -v helm)} || die "helm is missing: install Helm 3"
		name_programs
		: "${S3_ENDPOINT:?set it to an S3 server that your pods can reach}"
		: "${AWS_ACCESS_KEY_ID:?set it for that S3 server}" "${AWS_SECRET_ACCESS_KEY:?set it for that S3 server}"
		kubectl version >/dev/null || die "your cluster does not answer: check KUBECONFIG"
		# shellcheck disable=SC2034  # printed by demo.sh
		go_on="# your current kubectl context"
		return
	fi
	cluster=$(make --silent cluster-bin)
	if ! "$cluster" doctor --install; then
		die "this machine cannot run a node. Ways on: kind or k3d and KUBECONFIG, or any cluster of yours; see README.md, 'Your own cluster'"
	fi
	"$cluster" up
	eval "$("$cluster" env)"
	name_programs
	# shellcheck disable=SC2034  # printed by demo.sh
	go_on="eval \"\$($cluster env)\"; alias kubectl=\$KUBECTL"
	load_image() { "$cluster" load "$@"; }
}

name_programs() {
	kubectl() { "$KUBECTL" "$@"; }
	helm() { "$HELM" "$@"; }
}

# The images as archives, and in the cluster.
use_images() {
	if own_cluster && [ -n "${IMAGE_REGISTRY:-}" ]; then
		say "using images from $IMAGE_REGISTRY"
		return
	fi
	tests/images/build.sh operator cpu
	local dir
	dir=$(images_dir)
	if ! own_cluster; then
		load_image "$dir/chemmodel-operator.tar" "$dir/chemmodel-inference-cpu.tar"
	elif command -v kind >/dev/null && kubectl config current-context | grep -q '^kind-'; then
		local name
		name=$(kubectl config current-context)
		kind load image-archive --name "${name#kind-}" "$dir/chemmodel-operator.tar"
		kind load image-archive --name "${name#kind-}" "$dir/chemmodel-inference-cpu.tar"
	else
		die "your cluster cannot pull local images: push those of $dir to a registry and set IMAGE_REGISTRY, or use kind"
	fi
}

install_operator() {
	local registry=${IMAGE_REGISTRY:+$IMAGE_REGISTRY/}
	helm upgrade --install chemmodel-operator charts/chemmodel-operator --namespace chemmodel-system --create-namespace \
		--set image.repository="${registry}chemmodel-operator" --set image.tag=dev \
		--set serverImages.cpu="${registry}chemmodel-inference:dev-cpu" \
		--set serverImages.cuda="${registry}chemmodel-inference:dev-cuda" >/dev/null
	# A tag that stays the same while the image changes is no reason for Kubernetes to restart anything.
	kubectl -n chemmodel-system rollout restart deployment/chemmodel-operator >/dev/null
	kubectl -n chemmodel-system rollout status deployment/chemmodel-operator --timeout=120s
}

s3() {
	curl --fail-with-body --silent --show-error --aws-sigv4 "aws:amz:${AWS_REGION:-us-east-1}:s3" \
		--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --header 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@"
}

make_bucket() {
	s3 --head "$S3_ENDPOINT/$1" >/dev/null 2>&1 || s3 -X PUT "$S3_ENDPOINT/$1"
}

# upload FOLDER BUCKET/PREFIX; the manifest last, so that a reader never finds half a bundle.
upload() {
	local file
	for file in "$1"/*; do
		[ "$(basename "$file")" = chemmodel.json ] || s3 --upload-file "$file" "$S3_ENDPOINT/$2/$(basename "$file")"
	done
	s3 --upload-file "$1/chemmodel.json" "$S3_ENDPOINT/$2/chemmodel.json"
	say "$1 -> s3://$2"
}

# use_example MODEL: examples/MODEL.yaml with this S3 server; prints where it is.
use_example() {
	local manifest=${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}/$1.yaml
	sed "s|endpoint: .*|endpoint: $S3_ENDPOINT|" "examples/$1.yaml" >"$manifest"
	printf '%s\n' "$manifest"
}

# predict_table MODEL CSV [OUTPUT]: name, SMILES and measured value of each molecule, with the model's answer beside it.
predict_table() {
	local port forward
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	"$KUBECTL" -n "$NAMESPACE" port-forward "service/$1" "$port:80" >/dev/null 2>&1 &
	forward=$!
	# shellcheck disable=SC2064  # this very process, now
	trap "kill $forward 2>/dev/null || true" EXIT
	python3 "${here:?}/predict.py" "http://127.0.0.1:$port/predict" "${@:2}"
	kill "$forward"
	wait "$forward" 2>/dev/null || true # ended by the signal just sent
	trap - EXIT
}
