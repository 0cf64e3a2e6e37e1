# After the files are there ($1: how many versions there are now): the agent's user, the place of
# the file, and a restart on an upgrade, by which nothing moves.
systemd-sysusers vipward.conf
mkdir -p /etc/vipward
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if [ "$1" -gt 1 ]; then
        systemctl try-restart vipward-alias.service vipward-agent.service
    fi
fi
