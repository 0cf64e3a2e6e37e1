#!/bin/sh
# Boots the systemd of a root as process 1 of namespaces of its own, where it runs /trial/live.sh,
# and ends as that ends. As root, in a mount namespace of its own: boot.sh ROOT. Nothing that it
# starts outlives it; SIGINT and SIGTERM end all at once.
set -eu

# The second half, inside: ROOT becomes the root, and this process its systemd, which mounts the rest.
# Settings and console of the kernel are the host's, and stay out of reach.
if [ "$1" = inside ]; then
    cd "$2"
    mount --bind . .
    cd "$2"
    mount --bind dev dev
    mount --bind dev/null dev/console
    mount -t proc proc proc
    mount --bind -o ro proc/sys proc/sys
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    pivot_root . mnt
    umount --lazy /mnt
    exec env --ignore-environment container=vipward PATH=/usr/sbin:/usr/bin \
        /lib/systemd/systemd --unit=live.service
fi

root=$1
group= init=
mkfifo "$root/trial/told"
cat "$root/trial/told" &
told=$!

end() {
    status=$?
    # With its parent process 1 is killed, and with that all that its namespace holds.
    [ -z "$init" ] || kill -s KILL "$init"
    while grep --quiet --no-messages 'populated 1' "$group/cgroup.events"; do sleep 0.1; done
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
    # Who listens has heard all, or will never hear anything.
    : <>"$root/trial/told"
    wait "$told"
    [ -e "$root/trial/booted" ] ||
        echo "error: no systemd runs here (status $status); it takes root, and a cgroup 2 to write to" >&2
    exit "$status"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

# No more than it takes: timers would start apt beside it.
cat >"$root/etc/systemd/system/live.service" <<END
[Unit]
Description=The trial of the package under a systemd that runs
DefaultDependencies=no
Requires=sysinit.target dbus.socket
After=sysinit.target dbus.socket
SuccessAction=exit-force
FailureAction=exit-force

[Service]
Type=oneshot
ExecStart=/bin/sh /trial/live.sh
StandardOutput=file:/trial/told
StandardError=inherit
END
mount -t cgroup2 cgroup2 "$root/mnt"
group=$root/mnt$(sed -n 's/^0:://p' /proc/self/cgroup)/vipward-live-$$
mkdir "$group"
sh -c 'echo $$ >"$1/cgroup.procs"
    exec unshare --cgroup --ipc --mount --net --pid --uts --fork --kill-child sh "$2" inside "$3"' \
    boot "$group" "$0" "$root" &
init=$!
wait "$init" && status=0 || status=$?
init=
exit "$status"
