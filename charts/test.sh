#!/bin/sh
# Tests the chart without a cluster. UPDATE=1 rewrites the expected manifests.
#
#   lint       the chart has no fault that Helm knows of
#   drift      its CRD is the generated one, and comes out of the template with nothing but metadata added
#   accepted   each values file renders to the manifests beside it in golden/
#   refused    each wrong values file is refused, with the words of its first line
set -eu
cd "$(dirname "$0")"

HELM=${HELM:-helm}
chart=chemmodel-operator
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
    echo "FAILED: $*" >&2
    failures=$((failures + 1))
}

# A Helm that was built from source takes a Kubernetes of years ago for granted.
render() {
    "$HELM" template chemmodel-operator $chart --namespace chemmodel-system --kube-version 1.33 "$@"
}

"$HELM" lint --strict --quiet $chart --kube-version 1.33 || fail "helm lint"

cmp ../crds/chemmodel.yaml $chart/files/chemmodel.yaml || fail "the chart's CRD is not the generated one: make generate"
render --show-only templates/crd.yaml >"$work/crd.yaml"
diff ../crds/chemmodel.yaml "$work/crd.yaml" >"$work/crd.diff" || true
grep -q '^> .*helm.sh/resource-policy: keep' "$work/crd.diff" || fail "the CRD is not kept by default"
if grep -q '^<' "$work/crd.diff"; then fail "the template changes the CRD: $(cat "$work/crd.diff")"; fi
if render --set crds.keep=false --show-only templates/crd.yaml | grep -q 'resource-policy'; then fail "crds.keep=false keeps the CRD"; fi
if render --set crds.install=false | grep -q 'kind: CustomResourceDefinition'; then fail "crds.install=false installs the CRD"; fi

for values in testdata/accepted/*.yaml; do
    name=$(basename "$values")
    # The CRD has its own checks, and would be most of every file.
    render --values "$values" --set crds.install=false >"$work/$name" || { fail "$values does not render"; continue; }
    if [ -n "${UPDATE:-}" ]; then
        cp "$work/$name" "testdata/golden/$name"
    fi
    diff -u "testdata/golden/$name" "$work/$name" || fail "$values renders something else; if that is right: UPDATE=1 charts/test.sh"
done

for values in testdata/refused/*.yaml; do
    words=$(sed -n '1s/^# Refused with: //p' "$values")
    if render --values "$values" >/dev/null 2>"$work/refusal"; then
        fail "$values is accepted"
    elif [ -z "$words" ] || ! grep -qF -- "$words" "$work/refusal"; then
        fail "$values is refused, but not with the words '$words': $(cat "$work/refusal")"
    fi
done

[ "$failures" -eq 0 ] || exit 1
echo "chart: ok"
