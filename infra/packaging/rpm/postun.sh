# Runs once the files are gone.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
