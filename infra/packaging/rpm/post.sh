# Runs once the files are there ($1: how many versions are installed now): makes the user and
# /etc/vipward, and restarts on an upgrade, which moves no VIP.
systemd-sysusers vipward.conf
mkdir -p /etc/vipward
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    if [ "$1" -gt 1 ]; then
        systemctl try-restart vipward-alias.service vipward-agent.service
    fi
fi
