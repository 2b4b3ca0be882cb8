# shellcheck shell=bash
# Sourced by build.sh. A Docker engine to build with: the one at hand, or one of our own.
#
# Our own keeps everything below $cache/docker and leaves nothing on the host: no bridge, no firewall rule, no forwarding;
# builds use the host's network. It is stopped by its recorded pid, so it never touches another engine.

engine_dir=${cache:?set by build.sh}/docker
engine_pidfile=$engine_dir/dockerd.pid
# More arguments for `docker build`.
# shellcheck disable=SC2034 # build.sh and bases.sh read it
build_network=()

engine_is_alive() { docker version >/dev/null 2>&1; }

engine_up() {
    command -v docker >/dev/null || die "no docker client: install one (Debian: docker.io)"
    if engine_is_alive; then
        return
    fi
    export DOCKER_HOST=unix://$engine_dir/docker.sock
    # shellcheck disable=SC2034
    build_network=(--network host)
    # An interrupted run can have left ours behind.
    engine_down
    [[ $EUID -eq 0 ]] || die "no Docker engine answers, and starting one takes root: start Docker or run this as root"
    command -v dockerd >/dev/null || die "no Docker engine answers and there is no dockerd: install one (Debian: docker.io)"
    mkdir -p "$engine_dir"
    local storage
    for storage in overlay2 vfs; do
        if engine_start "$storage"; then
            # Untagged layers of builds long past; only here, where no one else's images are.
            docker image prune --force --filter until=168h >/dev/null
            return
        fi
        say "dockerd does not start with the storage driver $storage: $engine_dir/dockerd.log"
    done
    die "no Docker engine could be started; its last words: $(tail -n 3 "$engine_dir/dockerd.log")"
}

engine_start() {
    # One data root per storage driver: dockerd refuses a root that another driver has used.
    # nice: a build is never as urgent as what else runs here. setsid: Ctrl-C reaches build.sh, which then stops the engine.
    setsid nice dockerd --data-root "$engine_dir/$1" --exec-root "$engine_dir/exec" --pidfile "$engine_pidfile" \
        --host "$DOCKER_HOST" --storage-driver "$1" --bridge none --iptables=false --ip-forward=false --ip-masq=false \
        >"$engine_dir/dockerd.log" 2>&1 9>&- &
    local dockerd=$!
    until engine_is_alive; do
        kill -0 "$dockerd" 2>/dev/null || return 1
        sleep 0.2
    done
}

engine_down() {
    local pid
    pid=$(cat "$engine_pidfile" 2>/dev/null) || return 0
    # A stale file may name a pid that is someone else's by now.
    if [[ $(cat "/proc/$pid/comm" 2>/dev/null) != dockerd ]]; then
        rm -f "$engine_pidfile"
        return 0
    fi
    kill "$pid"
    while [[ -e /proc/$pid ]]; do
        sleep 0.2
    done
    # dockerd leaves its data root and a network namespace mounted.
    local mounted
    while read -r _ mounted _; do
        [[ $mounted != "$engine_dir"/* ]] || umount "$mounted"
    done </proc/mounts
}
