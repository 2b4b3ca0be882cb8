#!/usr/bin/env bash
# Builds the images and saves each as a tar for the test cluster. README.md beside this file has the rest.
#   build.sh [operator] [cpu] [cuda]      default: operator cpu
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
cache=${CHEMMODEL_CACHE:-$HOME/.cache/chemmodel}
images=$cache/images
# The operator image is pulled by every sync Job: it stays small.
operator_limit_bytes=40000000

say() { printf 'images: %s\n' "$*" >&2; }
die() {
    say "$*"
    exit 1
}

# build NAME TAG DOCKERFILE [docker build arguments]
build() {
    local name=$1 tag=$2 dockerfile=$3 base started=$SECONDS
    shift 3
    for base in $(bases_of "$repository/$dockerfile"); do
        ensure_base "$base"
    done
    docker build "${build_network[@]}" "$@" --tag "$tag" --file "$repository/$dockerfile" "$repository" \
        >"$images/$name.log" 2>&1 || {
        tail -n 40 "$images/$name.log" >&2
        die "$tag did not build: $images/$name.log"
    }
    save "$name" "$tag"
    say "$tag: $(($(size_of "$tag") / 1000000)) MB, $((SECONDS - started)) s, $images/$name.tar"
}

size_of() { docker image inspect --format '{{.Size}}' "$1"; }

# Saves an image unless its tar already holds the same one. The id beside the tar also tells the cluster when to load it.
save() {
    local tar=$images/$1.tar id
    id=$(docker image inspect --format '{{.Id}}' "$2")
    if [[ -f $tar && $(cat "$images/$1.id" 2>/dev/null) == "$id" ]]; then
        return
    fi
    rm -f "$images/$1.id"
    docker save --output "$tar.part" "$2"
    mv "$tar.part" "$tar"
    echo "$id" >"$images/$1.id"
}

[[ $# -gt 0 ]] || set -- operator cpu
for image in "$@"; do
    [[ $image =~ ^(operator|cpu|cuda)$ ]] || die "there is no image '$image': choose from operator, cpu, cuda"
done
mkdir -p "$images"
# One build at a time: two would start two engines on one data root.
exec 9>"$images/.lock"
flock 9
scratch=$(mktemp -d "$cache/images.XXXXXX")
# shellcheck source=tests/images/engine.sh
source "$here/engine.sh"
# shellcheck source=tests/images/bases.sh
source "$here/bases.sh"
trap 'rm -rf "$scratch"; engine_down' EXIT
engine_up

for image in "$@"; do
    case $image in
        operator)
            build chemmodel-operator chemmodel-operator:dev Dockerfile.operator
            [[ $(size_of chemmodel-operator:dev) -lt $operator_limit_bytes ]] \
                || die "chemmodel-operator:dev has $(size_of chemmodel-operator:dev) bytes; the limit is $operator_limit_bytes"
            ;;
        cpu | cuda)
            build "chemmodel-inference-$image" "chemmodel-inference:dev-$image" Dockerfile.inference --target "$image"
            ;;
    esac
done
