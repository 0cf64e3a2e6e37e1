#!/bin/sh
# Run as a unit by the systemd of a fresh root, in a network without a way out: the package's units,
# alive. Ends at the first thing that is not as it should be, and names it.
set -eu
. /trial/must.sh
: >/trial/booted

file=/etc/vipward/vipward.toml
vip=172.31.0.201
trap '[ $? -eq 0 ] || journalctl --no-pager --output=short-precise --lines=60 >&2' EXIT

not() {
    ! "$@"
}

# Until it is so: 30 s, in which even a service has left that waits for its VIP.
soon() {
    tries=150
    until "$@" >/soon.log 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { cat /soon.log; return 1; }
        sleep 0.2
    done
}

property() {
    systemctl show --value --property="$2" "$1.service"
}

active() {
    systemctl is-active "$1.service"
}

# Another life than that one ($2).
anew() {
    active "$1" && [ "$(property "$1" InvocationID)" != "$2" ]
}

killed() {
    life=$(property "$1" InvocationID)
    kill -s KILL "$(property "$1" MainPID)" && soon anew "$1" "$life"
}

says() {
    journalctl --sync && journalctl --unit="$1.service" --output=cat | grep --fixed-strings -- "$2"
}

has_vip() {
    ip -oneline address show dev ens5 to "$vip/32" | grep .
}

# Since the monitor's log was emptied, however briefly.
was_away() {
    grep "^Deleted.* $vip/" /monitor.log
}

stayed() {
    has_vip && not was_away
}

# Its process is the user vipward's and has these capabilities (hexadecimal) and no way to others.
confined() {
    process=/proc/$(property "$1" MainPID)/status
    grep --extended-regexp '^(Uid|Cap|NoNewPrivs|Seccomp:)' "$process"
    for line in "Uid:.$(id --user vipward)" "CapEff:.$2\$" "CapBnd:.$2\$" 'NoNewPrivs:.1' 'Seccomp:.2'; do
        grep --quiet "^$line" "$process" || { echo "not so: $line"; return 1; }
    done
}

# All own services are, and this is one.
well() {
    status=$(vipward-agent status) && echo "$status" | grep "(own)  *$1  *healthy "
}

leaving() {
    vipward-agent status --output json | grep --fixed-strings 'db.service stops'
}

leaving_before_it_stops() {
    leaving && active db
}

stays() {
    well db && not leaving
}

waits() {
    [ "$(property "$1" SubState)" = auto-restart ] && [ "$(property "$1" RestartUSec)" = "$2" ]
}

# Started, it fails with the file's line and a cure, and then waits that long ($2) for its next try.
refuses_the_file() {
    not systemctl restart "$1.service" && says "$1" "$file:$wrong_line: " && says "$1" 'cure: ' &&
        soon waits "$1" "$2"
}

nothing_failed() {
    failed=$(systemctl list-units --failed --no-legend 'vipward-*') && [ -z "$failed" ] || { echo "$failed"; return 1; }
}

ip link add ens5 type veth peer name far
ip link set far up
ip link set ens5 up
ip address add 172.31.0.11/20 dev ens5
ip monitor address >>/monitor.log &

cat >/etc/systemd/system/db.service <<END
[Service]
ExecStart=/usr/bin/perl -MIO::Socket::INET -e \
    'my \$\$s = IO::Socket::INET->new(Listen => 9, LocalPort => 3306, ReuseAddr => 1) or die; \$\$s->accept while 1'
Restart=always
RestartSec=100ms
END

# Nobody answers there.
mkdir /etc/systemd/system/vipward-agent.service.d
cat >/etc/systemd/system/vipward-agent.service.d/aws.conf <<END
[Service]
Environment=AWS_REGION=eu-central-1 AWS_ENDPOINT_URL=http://127.0.0.1:9
Environment=AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
END

must 'it installs under a systemd that runs' dpkg --install /first.deb
cat >$file <<END
cluster = "trial"
subnet = "172.31.0.0/20"

[[node]]
name = "resource-01"
address = "172.31.0.11"
eni = "eni-0a1b2c3d4e5f60001"

[[node]]
name = "resource-02"
address = "172.31.0.124"
eni = "eni-0a1b2c3d4e5f60002"

[[service]]
name = "db"
vip = "$vip"
unit = "db.service"
check = { kind = "systemd", port = 3306, unit = "db.service" }
END

must 'a service runs' systemctl start db.service
must 'the agent says that it is ready' systemctl enable --now vipward-agent.service
must 'the alias unit says that it is ready' systemctl enable --now vipward-alias.service
must 'the agent is confined' confined vipward-agent 0000000000000000
must 'the alias unit is confined to CAP_NET_ADMIN' confined vipward-alias 0000000000001000
must 'the VIP is on the interface' soon has_vip
must 'the agent finds the service well' soon well db
must "its user reads its status" runuser --user vipward -- vipward-agent status
must "others do not" not runuser --user nobody -- vipward-agent status

must 'the VIP is taken away' ip address del "$vip/32" dev ens5
must 'it is back' soon has_vip
must 'the monitor has seen that' soon was_away
: >/monitor.log
must 'the agent, killed, is started again' killed vipward-agent
must 'the report of the alias unit is still there' test -f /run/vipward/alias.json
must 'the alias unit, killed, is started again' killed vipward-alias
must 'the alias unit stops' systemctl stop vipward-alias.service
must 'the agent still answers' vipward-agent status
must 'the alias unit starts' systemctl start vipward-alias.service
must 'the VIP stayed all the while' stayed

cat >>$file <<END

[[service]]
name = "cache"
vip = "172.31.0.202"
check = { kind = "systemd", port = 3306, unit = "db.service" }
END
must 'the agent is told of a changed file' systemctl reload vipward-agent.service
must 'it finds the new service well' soon well cache

cp $file /kept.toml
sed --in-place 's/"172.31.0.202"/"nowhere"/' $file
wrong_line=$(grep --line-number nowhere $file | cut --delimiter=: --fields=1)
must 'it is told of a broken file' systemctl reload vipward-agent.service
must 'it refuses that' soon says vipward-agent 'configuration refused'
must 'and stays' active vipward-agent
must 'the agent does not start with it' refuses_the_file vipward-agent 5s
must 'the alias unit does not start with it' refuses_the_file vipward-alias 2s
cp /kept.toml $file
must 'the agent starts once the file is right' soon active vipward-agent
must 'the alias unit starts once the file is right' soon active vipward-alias

must 'leaving ahead of the service is enabled' systemctl enable --now vipward-leave@db.service
life=$(property vipward-leave@db InvocationID)
must 'the service, killed, is started again' killed db
must 'what leaves ahead of it, too' soon anew vipward-leave@db "$life"
must 'nobody was asked to leave' not says vipward-agent 'leaves=true'
must 'the service is to stop' systemctl stop --no-block db.service
must 'the agent leaves before it does' soon leaving_before_it_stops
must 'the journal tells it' says vipward-agent 'leaves=true'
must 'it stops, though nobody has taken the VIP' soon not active db
must 'it starts again' systemctl start db.service
must 'the agent stays, then' soon stays

agent=$(property vipward-agent InvocationID)
alias=$(property vipward-alias InvocationID)
must 'it is upgraded' dpkg --install /newer.deb
must 'the agent is the new one' anew vipward-agent "$agent"
must 'the alias unit is the new one' anew vipward-alias "$alias"
must 'it is removed' dpkg --remove vipward
for unit in vipward-agent vipward-alias vipward-leave@db; do
    must "$unit runs no more" not active $unit
done
must 'nothing has failed by it' nothing_failed
must 'the service still does' active db
must 'the VIP stayed all the while' stayed
must 'it is taken away' ip address del "$vip/32" dev ens5
must 'the monitor has been awake' soon was_away
