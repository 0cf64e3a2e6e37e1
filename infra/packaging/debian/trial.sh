#!/bin/sh
# Inside a fresh root: installs first.deb, configures it, upgrades to newer.deb, removes it and
# purges it. Ends at the first thing that is not as it should be, and names it.
set -eu
. /trial/must.sh

absent() {
    [ ! -e "$1" ] && [ ! -L "$1" ]
}

nothing_left() {
    left=$(find /etc /usr /var /run -name '*vipward*' ! -path '/var/log/*')
    [ -z "$left" ] || { echo "$left"; return 1; }
}

enabled=/etc/systemd/system/multi-user.target.wants/vipward-agent.service

must 'it installs' dpkg --install /first.deb
for program in vipward vipward-agent vipward-alias; do
    must "$program starts" "$program" --version
    must "$program has a manual page" test -f "/usr/share/man/man1/$program.1.gz"
    must "$program is completed" test -f "/usr/share/bash-completion/completions/$program.bash"
done
must 'the agent has a user' getent passwd vipward
must 'the example is in order' vipward check /usr/share/doc/vipward/examples/vipward.toml
for unit in /usr/lib/systemd/system/vipward-*.service; do
    must "systemd can read ${unit##*/}" systemd-analyze verify --recursive-errors=yes --man=no "$unit"
done
must 'nothing runs unasked' absent $enabled
must 'it installs again' dpkg --install /first.deb

cp /usr/share/doc/vipward/examples/vipward.toml /etc/vipward/vipward.toml
echo '# mine' >>/etc/vipward/vipward.toml
cp /etc/vipward/vipward.toml /kept.toml
must 'the agent is enabled' systemctl enable vipward-agent.service
must 'leaving ahead of a service is, too' systemctl enable vipward-leave@mysql.service
must 'it is upgraded' dpkg --install /newer.deb
must 'the version is the new one' test "$(dpkg-query --show --showformat '${Version}' vipward)" = 999
must 'the configuration is kept by an upgrade' cmp /kept.toml /etc/vipward/vipward.toml
must 'the agent is still enabled' test -L $enabled

must 'it is removed' dpkg --remove vipward
must 'its programs are gone' absent /usr/bin/vipward-agent
must 'the agent is enabled no more' absent $enabled
must 'no service waits for it any more' absent /etc/systemd/system/mysql.service.wants/vipward-leave@mysql.service
must 'the configuration is kept by a removal' cmp /kept.toml /etc/vipward/vipward.toml

must 'it is purged' dpkg --purge vipward
must 'nothing of it is left' nothing_left
