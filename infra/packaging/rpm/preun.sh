# Runs before the last version goes ($1 is 0), and stops the units. The addresses and /etc/vipward
# stay.
if [ "$1" -eq 0 ]; then
    if [ -d /run/systemd/system ]; then
        systemctl stop vipward-agent.service vipward-alias.service
        # Without an agent they can announce nothing, and would fail.
        systemctl stop 'vipward-leave@*.service'
        systemctl reset-failed 'vipward-leave@*.service'
    fi
    systemctl --quiet disable vipward-agent.service vipward-alias.service vipward-leave@.service
fi
