# shellcheck shell=bash
# What up, down and enter share: where things are, and which process is the instance.
#
# An instance belongs to a checkout. Its files are in build/cloud/:
#   init           "<pid> <start time>" of its first process, as the host numbers it
#   suite          the Debian suite that it runs
#   upper, work    the writable layer over the cached root
#   docker         the engine's data; registry: the registry's; both empty where they are in memory
#   log            what the parts said; the only thing that stays after down
# build/cloud.lock is held by whoever starts or stops it.

set -euo pipefail

CLOUD_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CHECKOUT=$(cd "$CLOUD_DIR/../.." && pwd -P)
DATA=$CHECKOUT/build/cloud
CACHE=${CLOUD_CACHE:-/var/cache/lambda-fastdeploy}
SUITE=${CLOUD_SUITE:-trixie}

[[ ! -e /run/cloud/configured ]] || {
    echo "cloud: this is the inside" >&2
    exit 2
}

# say TEXT: one line for the person who started this.
say() { printf 'cloud: %s\n' "$*" >&2; }

# cannot TEXT: this machine cannot run the cloud.
cannot() {
    say "$*"
    exit 2
}

fail() {
    say "$*"
    exit 1
}

# as_root COMMAND…: replaces this process by COMMAND through sudo unless it is root already. PATH is passed on because sudo
# replaces it whatever -E says.
as_root() {
    ((EUID != 0)) || return 0
    command -v sudo >/dev/null || cannot "needs root, and there is no sudo"
    exec sudo -E -- env "PATH=$PATH" "$@"
}

# start_time PID: when the kernel started it, in clock ticks; a PID that is used again has another one.
start_time() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # The name, in brackets, may hold anything; field 22 is the twentieth after it.
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [[ $1 != [ZX] ]] || return 1
    printf '%s\n' "${20}"
}

# instance_pid: the PID of the instance's first process; fails if there is none. A process that is ending has left its
# namespaces, but it stays until the last of its children, by whoever adopted them, is reaped: that one counts as gone.
instance_pid() {
    local pid start
    { read -r pid start <"$DATA/init"; } 2>/dev/null || return 1
    [[ -n $pid && $(start_time "$pid") == "$start" && -e /proc/$pid/ns/mnt ]] || return 1
    printf '%s\n' "$pid"
}

# root_folder: prints the cache's folder of this suite and recipe (see make-root), made now if it is not there. Two at
# once and a kill in the middle are safe: what is there under its own name is whole.
root_folder() {
    local make=$CLOUD_DIR/ground/make-root recipe folder making
    recipe=$(cat "$make" <(uname -m) | sha256sum)
    folder=$CACHE/root-$SUITE-${recipe:0:12}
    if [[ ! -d $folder ]]; then
        mkdir -p "$CACHE"
        exec 8>"$CACHE/lock"
        flock 8
        if [[ ! -d $folder ]]; then
            say "making the $SUITE root, once; this takes about a minute"
            # What a killed run left behind: nobody else can be at work while the lock is held.
            rm -rf --one-file-system -- "$CACHE"/making-*
            making=$CACHE/making-$$
            # It mounts things: in namespaces of its own, which nothing outlives. It keeps the lock, should this process
            # be killed and it not.
            unshare --mount --pid --mount-proc --fork --kill-child "$make" "$SUITE" "$making" 9>&- ||
                fail "could not make the $SUITE root in $CACHE"
            mv -T "$making" "$folder"
        fi
        exec 8>&-
    fi
    printf '%s\n' "$folder"
}

# take_lock: until this process ends nobody else starts or stops this checkout's instance. Children must close file
# descriptor 9.
take_lock() {
    mkdir -p "$CHECKOUT/build"
    exec 9>"$CHECKOUT/build/cloud.lock"
    flock -w 900 9 || fail "another up or down has held build/cloud.lock for 15 minutes"
}

# remove_data: everything but the logs.
remove_data() {
    local entry
    for entry in init suite ready upper work root docker registry; do
        rm -rf --one-file-system -- "${DATA:?}/$entry"
    done
}
