# shellcheck shell=bash
# Sourced by build.sh. The base images that the Dockerfiles name: pulled, or made here where no registry can be reached.
#
# A stand-in has the name of the base and what our Dockerfiles use of it: Debian bookworm from Debian's own archive, the
# Rust toolchain of this host. It also trusts the certificates that this host trusts, so that builds reach the package
# registries by the same way as the host. Stand-ins are for tests; published images are built on the real bases.

: "${here:?set by build.sh}" "${repository:?}" "${cache:?}" "${scratch:?}"

# The images that the given Dockerfiles start from: not `scratch`, not their own stages.
bases_of() {
    awk 'toupper($1) == "FROM" && $2 != "scratch" && !($2 in stage) { print $2 }
         toupper($1) == "FROM" && toupper($3) == "AS" { stage[$4] = 1 }' "$@" | sort --unique
}

ensure_base() {
    if docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >/dev/null 2>&1; then
        return
    fi
    say "!!! $1 cannot be pulled: building on a LOCAL STAND-IN of that name. Not for publishing."
    case $1 in
        debian:bookworm-slim) stand_in_debian "$1" ;;
        rust:*-bookworm) stand_in_rust "$1" ;;
        *) die "there is no stand-in for $1: make the registry reachable, or load that image" ;;
    esac
}

stand_in_debian() {
    [[ $EUID -eq 0 ]] || die "a stand-in of $1 takes root (debootstrap)"
    command -v debootstrap >/dev/null || die "a stand-in of $1 takes debootstrap: install it"
    local root=$scratch/debian
    debootstrap --variant=minbase bookworm "$root" http://deb.debian.org/debian >"$cache/debootstrap.log" 2>&1 \
        || die "debootstrap failed: $cache/debootstrap.log"
    cat >"$root/etc/apt/sources.list" <<-'SOURCES'
	deb http://deb.debian.org/debian bookworm main
	deb http://deb.debian.org/debian bookworm-updates main
	deb http://deb.debian.org/debian-security bookworm-security main
	SOURCES
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    # The local folder is what survives when a build installs ca-certificates.
    local trusted=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
    install -D --mode 644 "$trusted" "$root/usr/local/share/ca-certificates/host.crt"
    install -D --mode 644 "$trusted" "$root/etc/ssl/certs/ca-certificates.crt"
    tar --create --directory "$root" . | docker import --change 'CMD ["bash"]' - "$1" >/dev/null
    rm -rf "$root"
}

stand_in_rust() {
    local release=${1#rust:} sysroot
    release=${release%-bookworm}
    sysroot=$(cd "$repository" && rustc --print sysroot)
    [[ $("$sysroot/bin/rustc" --version) == "rustc $release."* ]] \
        || die "a stand-in of $1 takes Rust $release on this host, which has $("$sysroot/bin/rustc" --version)"
    ensure_base debian:bookworm-slim
    local context=$scratch/rust
    mkdir "$context"
    cp "$(command -v rustup)" "$context/rustup"
    cp --recursive --reflink=auto "$sysroot" "$context/toolchain"
    rm -rf "$context/toolchain/share/doc"
    # shellcheck disable=SC2154 # engine.sh sets build_network
    docker build --quiet "${build_network[@]}" --tag "$1" --file "$here/stand-in-rust.Dockerfile" \
        --build-arg TOOLCHAIN="$("$sysroot/bin/rustc" --version --verbose \
            | awk '/^release/ { release = $2 } /^host/ { host = $2 } END { print release "-" host }')" "$context" \
        >"$cache/stand-in-rust.log" 2>&1 || die "the stand-in did not build: $cache/stand-in-rust.log"
    rm -rf "$context"
}
