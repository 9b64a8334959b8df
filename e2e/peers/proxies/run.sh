#!/bin/sh
# Start one proxy of this folder on loopback as a plain process, or stop it.
#   run.sh start CONF DIR PORT [PARENT]     CONF: a file here without .conf
#   run.sh stop DIR
# DIR is its working directory (made anew); DIR/pid.run is its process.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
if [ "$1" = stop ]; then
    [ -f "$2/pid.run" ] || exit 0
    pid=$(cat "$2/pid.run"); i=0
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done
    rm -f "$2/pid.run"; exit 0
fi
name=$2 port=$4 parent=${5:-0}
[ -f "$3/pid.run" ] && "$0" stop "$3"
mkdir -p "$3"; dir=$(cd "$3" && pwd)
chmod o+x "$dir" "$(dirname "$dir")"        # the proxy runs as its own user and must reach its folder
[ -f "$here/$name.conf" ] && sed -e "s#@DIR@#$dir#g; s#@PORT@#$port#g; s#@PARENT@#$parent#g; s#@HERE@#$here#g" "$here/$name.conf" > "$dir/conf"
case $name in
squid*)
    echo '127.0.0.1 localhost server.rig.test' > "$dir/hosts"      # a name that only the proxy can resolve
    sed -e "s#@DIR@#$dir#g; s#@PORT@#$port#g" "$here/squid.conf" > "$dir/base.conf"
    case $name in
    *basic*) printf 'puser:%s\n' "$(openssl passwd -apr1 'P r0xy:pw')" > "$dir/users" ;;
    *digest*) printf 'puser:rig proxy:%s\n' "$(printf '%s' 'puser:rig proxy:P r0xy:pw' | md5sum | cut -d' ' -f1)" > "$dir/digest" ;;
    *ntlm-gss|*negotiate-gss) printf 'RIG:puser:P-pw-1\nRIG:ntuser:Nt-pw-1\n' > "$dir/ntlm"
        : > "$dir/proxy.keytab" ;;      # NTLM needs none
    *bump*) [ -f "$dir/ca.pem" ] || { openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=rig-bump-ca -keyout "$dir/k" -out "$dir/c" 2>/dev/null; cat "$dir/c" "$dir/k" > "$dir/ca.pem"; }
        rm -rf "$dir/ssl_db"; /usr/lib/squid/security_file_certgen -c -s "$dir/ssl_db" -M 4MB > /dev/null ;;
    esac
    case $name in
    *tls*) openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
            -keyout "$dir/k.pem" -out "$dir/c.pem" 2>/dev/null; cat "$dir/c.pem" "$dir/k.pem" > "$dir/ck.pem" ;;
    esac
    [ "$(id -u)" -ne 0 ] || chown -R proxy "$dir"     # as another user squid simply runs as that user
    set -- squid -N -f "$dir/conf" -n "rig$port" ;;
apache*)
    case $name in
    *basic*) printf 'puser:%s\n' "$(openssl passwd -apr1 'P r0xy:pw')" > "$dir/users" ;;
    *digest*) printf 'puser:rig proxy:%s\n' "$(printf '%s' 'puser:rig proxy:P r0xy:pw' | md5sum | cut -d' ' -f1)" > "$dir/digest" ;;
    *ntlm*) : > "$dir/proxy.keytab"
        printf 'RIG:puser:P-pw-1\nRIG:ntuser:Nt-pw-1\n' > "$dir/ntlm"
        export KRB5_KTNAME="FILE:$dir/proxy.keytab" NTLM_USER_FILE="$dir/ntlm" NETBIOS_COMPUTER_NAME=RIG NETBIOS_DOMAIN_NAME=RIG ;;
    esac
    [ "$(id -u)" -ne 0 ] || chown -R www-data "$dir"
    set -- apache2 -D FOREGROUND -f "$dir/conf" ;;
tinyproxy*) set -- tinyproxy -d -c "$dir/conf" ;;
haproxy*) set -- haproxy -db -f "$dir/conf" ;;
privoxy*) set -- privoxy --no-daemon "$dir/conf" ;;
nginx*) chmod 777 "$dir"; set -- nginx -c "$dir/conf" -p "$dir" ;;
microsocks) set -- microsocks -i 127.0.0.1 -p "$port" -u puser -P 'P r0xy:pw' ;;
sockd-user)     # asks the system about accounts: it sees lists of its own, with one account more
    { cat /etc/passwd; echo 'puser:x:65533:65534::/nonexistent:/usr/sbin/nologin'; } > "$dir/passwd"
    printf 'puser:%s:19000::::::\n' "$(openssl passwd -6 'P r0xy:pw')" > "$dir/shadow"
    [ "$(id -u)" -eq 0 ] && root= || { root=-r; sed -i '/^user\./d' "$dir/conf"; }
    set -- unshare $root -m sh -c 'mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow && exec danted -f "$1/conf"' sh "$dir" ;;
sockd*) [ "$(id -u)" -eq 0 ] || sed -i '/^user\./d' "$dir/conf"     # as another user it cannot change users
    set -- danted -f "$dir/conf" ;;
*) echo "no such proxy: $name" >&2; exit 2 ;;
esac
listens() { python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null; }
if listens; then echo "port $port is taken" >&2; exit 1; fi
setsid "$@" > "$dir/out" 2>&1 &
echo $! > "$dir/pid.run"
i=0
until listens; do
    i=$((i + 1)); { [ $i -lt 80 ] && kill -0 "$(cat "$dir/pid.run")" 2>/dev/null; } || { echo "$name did not start:" >&2; tail -5 "$dir/out" >&2; exit 1; }
    sleep 0.1
done
echo "$name at 127.0.0.1:$port (pid $(cat "$dir/pid.run"))"
