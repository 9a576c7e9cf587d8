#!/bin/bash
# README's commands on a Debian 12 that has nothing: a minimal root with git and make, in namespaces of its own for
# mounts, processes and the network, holding a clean checkout of what is committed here.
#
#     sudo tools/fresh-debian.sh                        make test, then make demo
#     sudo tools/fresh-debian.sh make demo              any other command, run in the checkout
#     sudo tools/fresh-debian.sh bash                   look around
#     sudo KEEP=1 tools/fresh-debian.sh                 and keep the root; ROOT=... uses it again
#
# Package mirrors, certificates and pip's settings are this host's own: its apt sources and proxies where it runs the
# same release, /etc/pip.conf, and the variables named below. Nothing is left: when the first process ends, the
# namespaces end, and with them whatever ran or was mounted.
set -euo pipefail
cd "$(dirname "$0")/.."
passed_on='^(PIP_INDEX_URL|PIP_EXTRA_INDEX_URL|PIP_DEFAULT_TIMEOUT|PIP_TRUSTED_HOST|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|ARGS)='
release=bookworm
subnet=${FRESH_SUBNET:-10.213.77}   # the link between the two: .1 here, .2 there

[ "$(id -u)" = 0 ] || { echo "fresh-debian: needs root. Try: sudo $0 $*" >&2; exit 1; }
for tool in mmdebstrap unshare nft ip git; do
    command -v "$tool" >/dev/null || { echo "fresh-debian: needs $tool. Try: make setup" >&2; exit 1; }
done

root=${ROOT:-$(mktemp -d "${TMPDIR:-/var/tmp}/fresh-debian.XXXXXX")}
name=fresh-${root##*.}
link=fr${root##*.}
forwarding=$(cat /proc/sys/net/ipv4/ip_forward)

clean() {
    local loop
    ip netns del "$name" 2>/dev/null || true
    nft delete table ip "$name" 2>/dev/null || true
    [ "$forwarding" = 1 ] || [ -n "$(ip -o link show type veth 2>/dev/null)" ] || echo 0 >/proc/sys/net/ipv4/ip_forward
    losetup -n -O NAME,BACK-FILE 2>/dev/null | while read -r loop file; do
        case $file in "$root"/*) losetup -d "$loop" ;; esac
    done
    if grep -q " $root" /proc/self/mountinfo; then
        echo "fresh-debian: something is still mounted in $root; left as it is" >&2
    elif [ -n "${KEEP:-}" ]; then
        echo "fresh-debian: kept $root"
    else
        rm -rf --one-file-system "$root"
    fi
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

make_root() {
    local sources=()
    if grep -qs "VERSION_CODENAME=$release" /etc/os-release; then
        mapfile -t sources < <(find /etc/apt/sources.list /etc/apt/sources.list.d -maxdepth 1 -type f \
            \( -name '*.list' -o -name '*.sources' \) -size +0 2>/dev/null)
    fi
    echo "==> Debian $release in $root"
    mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates \
        --aptopt='Acquire::Languages "none"' "$release" "$root" "${sources[@]}" </dev/null
    apt-config dump | grep -E '^Acquire::https?::' >"$root/etc/apt/apt.conf.d/99host" || true
    for file in /etc/resolv.conf /etc/pip.conf; do
        [ ! -e "$file" ] || cp -L "$file" "$root$file"
    done
    [ ! -d /usr/local/share/ca-certificates ] ||
        cp -R /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    echo "127.0.0.1 localhost $name" >"$root/etc/hosts"
    git clone --quiet --no-hardlinks . "$root/root/cloudjar"
}

make_network() {
    ip netns add "$name"
    ip link add "$link" type veth peer name eth0 netns "$name"
    ip address add "$subnet.1/30" dev "$link"
    ip link set "$link" up
    ip -n "$name" link set lo up
    ip -n "$name" address add "$subnet.2/30" dev eth0
    ip -n "$name" link set eth0 up
    ip -n "$name" route add default via "$subnet.1"
    echo 1 >/proc/sys/net/ipv4/ip_forward
    nft -f - <<NFT
table ip $name {
    chain out {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr $subnet.2 masquerade
    }
}
NFT
}

# Runs as the first process of the new namespaces: its file systems, then the command in the checkout. The new root is
# a mount point and the old one is gone, as on a machine; container runtimes refuse a mere chroot.
inside='
root=$1; shift
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir "$root/run/host"
cd "$root"
pivot_root . run/host
umount -l /run/host
rmdir /run/host
exec /usr/bin/env -i -C /root/cloudjar "$@"
'

run() {
    local settings=(HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}" "CI=${CI:-}"
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
    mapfile -t -O ${#settings[@]} settings < <(env | grep -E "$passed_on")
    echo "==> $*"
    nsenter "--net=/run/netns/$name" unshare --mount --pid --fork --kill-child -- \
        bash -euc "$inside" inside "$root" "${settings[@]}" "$@"
}

if [ -e "$root/root/cloudjar" ]; then
    git -C "$root/root/cloudjar" fetch --quiet "$PWD" HEAD
    git -C "$root/root/cloudjar" reset --quiet --hard FETCH_HEAD
else
    make_root
fi
make_network
if [ $# -gt 0 ]; then
    run "$@"
else
    run make test
    run make demo
fi
echo "==> All of it works on a fresh Debian $release."
