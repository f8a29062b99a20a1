# shellcheck shell=bash
# The instance's control groups: one in every hierarchy of the host, version 1 or 2. The instance sees it as the root of
# its cgroup namespace, so that the engine's groups lie below it and removing one tree removes them all.

cgroup_name() {
    local sum
    sum=$(printf '%s' "$CHECKOUT" | sha256sum)
    printf 'lambda-fastdeploy-%s\n' "${sum:0:12}"
}

# cgroup_mounts: where the host's hierarchies are mounted.
cgroup_mounts() {
    awk '($3 == "cgroup" || $3 == "cgroup2") && index($2, "/sys/fs/cgroup") == 1 { print $2 }' /proc/self/mounts
}

# cgroup_create NAME: makes the group in every hierarchy.
cgroup_create() {
    local mount group controller
    for mount in $(cgroup_mounts); do
        group=$mount/$1
        mkdir -p "$group"
        # A cpuset of version 1 starts empty, and takes no process while it is.
        if [[ -e $mount/cpuset.cpus && ! -e $mount/cgroup.controllers ]]; then
            cat "$mount/cpuset.cpus" >"$group/cpuset.cpus"
            cat "$mount/cpuset.mems" >"$group/cpuset.mems"
        fi
        # Version 2 hands controllers down one level at a time. Where the host's own root may not (it is a
        # container's, with processes in it), the engine works without that limit.
        if [[ $mount == /sys/fs/cgroup ]]; then
            for controller in $(<"$mount/cgroup.controllers"); do
                grep -qw "$controller" "$mount/cgroup.subtree_control" ||
                    { echo "+$controller" >"$mount/cgroup.subtree_control"; } 2>/dev/null ||
                    say "no $controller limits: the host's control groups do not hand that controller down"
            done
        fi
    done
}

# cgroup_join NAME PID: moves a process into the group; into its leaf "init" where that is there already, for a group
# of version 2 with controllers takes no process itself.
cgroup_join() {
    local mount group
    for mount in $(cgroup_mounts); do
        group=$mount/$1
        [[ ! -d $group/init ]] || group=$group/init
        echo "$2" >"$group/cgroup.procs"
    done
}

# cgroup_members GROUP: the processes in the group and below it.
cgroup_members() {
    find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

# cgroup_remove NAME: removes the group and all below it; waits for processes that are still ending, and after a second
# ends what is there: the instance of a checkout whose build folder was removed while it ran.
cgroup_remove() {
    local mount pid tries=0
    for mount in $(cgroup_mounts); do
        while [[ -d $mount/$1 ]]; do
            find "$mount/$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
            [[ -d $mount/$1 ]] || break
            ((++tries < 200)) || fail "cannot remove $mount/$1: its processes are $(cgroup_members "$mount/$1" | xargs)"
            if ((tries == 20)); then
                for pid in $(cgroup_members "$mount/$1"); do
                    kill -KILL "$pid" 2>/dev/null || true
                done
            fi
            sleep 0.05
        done
    done
}
