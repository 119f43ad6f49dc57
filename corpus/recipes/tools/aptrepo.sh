# Make a signed apt repository in $RUN/repo and serve it as http://packages.example.org.
# Usage: source aptrepo.sh MODE [SUITE]; leaves acme.gpg and acme.list in the build's folder, and $IP.
mode=$1 suite=${2:-bookworm} app=$PWD
set -e
export GNUPGHOME=$RUN/gnupg; mkdir -m 700 -p $GNUPGHOME
IP=127.77.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)); export IP
echo "$IP packages.example.org" >> /etc/hosts
key="Acme Archive Signing Key <apt@example.org>"
late() { "$@"; }
case $mode in
  key-expired) faketime -f '-800d' gpg -q --batch --passphrase '' --quick-gen-key "$key" rsa2048 sign 1y; late() { faketime -f '-780d' "$@"; } ;;
  sha1) gpg -q --batch --passphrase '' --quick-gen-key "$key" rsa2048 sign 5y; late() { "$@" --digest-algo SHA1; } ;;
  *) gpg -q --batch --passphrase '' --quick-gen-key "$key" rsa2048 sign 5y ;;
esac
gpg -q --batch --export > acme.gpg

deb() { # NAME VERSION DEPENDS [POSTINST]
  local dir=$RUN/deb/$1; mkdir -p $dir/DEBIAN $dir/usr/share/doc/$1
  printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: Acme <apt@example.org>\nSection: utils\nPriority: optional\nInstalled-Size: 12\n%sDescription: Acme %s\n' "$1" "$2" "${3:+Depends: $3
}" "$1" > $dir/DEBIAN/control
  head -c 3000 /dev/urandom | base64 > $dir/usr/share/doc/$1/README
  if [ -n "$4" ]; then printf '#!/bin/sh\n%s\n' "$4" > $dir/DEBIAN/postinst; chmod 755 $dir/DEBIAN/postinst; fi
  mkdir -p $RUN/repo/pool/main; dpkg-deb --root-owner-group -b $dir $RUN/repo/pool/main/$1_$2_amd64.deb > /dev/null
}
deb acme-common 1.4.2 ''
deb acme-tools 1.4.2 'acme-common (>= 1.4)'
deb acme-agent 2.8.0 'libssl1.1 (>= 1.1.1), acme-common'
deb acme-plugin 3.0 'acme-tools (>= 2.0)'
deb acme-legacy 0.9 'python2.7:any, libicu67'
deb acme-service 1.0 'acme-common' 'set -e
echo "Creating the acme user"
systemctl enable --now acme.service'
deb acme-broken 1.1 'acme-common' 'set -e
echo "Migrating the configuration in /etc/acme"
cp /etc/acme/defaults.conf /etc/acme/acme.conf'
deb acme-exit 1.2 '' 'echo "acme-exit: license server did not answer" >&2
exit 3'

cd $RUN/repo
dist=dists/$suite; mkdir -p $dist/main/binary-amd64
apt-ftparchive packages pool > $dist/main/binary-amd64/Packages
gzip -9kf $dist/main/binary-amd64/Packages
until=''
[ $mode = release-expired ] && until="-o APT::FTPArchive::Release::ValidTime=1"
release() { apt-ftparchive -o APT::FTPArchive::Release::Origin=Acme -o APT::FTPArchive::Release::Suite=$suite -o APT::FTPArchive::Release::Codename=$suite -o APT::FTPArchive::Release::Architectures=amd64 -o APT::FTPArchive::Release::Components=main $until release $dist; }
release > $RUN/Release
case $mode in
  release-expired) sed -i "s/^Date:.*/Date: $(LC_ALL=C date -u -d '-40 days' '+%a, %d %b %Y %T UTC')/; s/^Valid-Until:.*/Valid-Until: $(LC_ALL=C date -u -d '-33 days -4 hours' '+%a, %d %b %Y %T UTC')/" $RUN/Release ;;
  future) sed -i "s/^Date:.*/Date: $(LC_ALL=C date -u -d "${AHEAD:-+3 days 2 hours}" '+%a, %d %b %Y %T UTC')/" $RUN/Release ;;
esac
cp $RUN/Release $dist/Release
sign() { late gpg -q --batch --yes --clearsign -o $dist/InRelease $dist/Release; late gpg -q --batch --yes -abs -o $dist/Release.gpg $dist/Release; }
[ $mode = unsigned ] || sign
case $mode in
  badsig) sed -i 's/^Origin: Acme/Origin: Acme Mirror/' $dist/InRelease ;;
  badsig-detached) rm $dist/InRelease; sed -i 's/^Origin: Acme/Origin: Acme Mirror/' $dist/Release ;;
  nosplit) printf '<html><head><title>Sign in to the network</title></head>\n<body>Please <a href="/login">sign in</a>.</body></html>\n' > $dist/InRelease; cp $dist/InRelease $dist/Release; cp $dist/InRelease $dist/Release.gpg ;;
  truncated) head -c 600 $dist/InRelease > x; mv x $dist/InRelease ;;
  no-release) rm $dist/*Release* ;;
  other-key) rm -rf $RUN/other; mkdir -m 700 $RUN/other; GNUPGHOME=$RUN/other gpg -q --batch --passphrase '' --quick-gen-key "Other <other@example.org>" rsa2048 sign 1y; GNUPGHOME=$RUN/other gpg -q --batch --export > $app/acme.gpg ;;
  hash-mismatch) echo tampered >> pool/main/acme-tools_1.4.2_amd64.deb ;;
  same-size) printf 'XXXX' | dd of=pool/main/acme-tools_1.4.2_amd64.deb bs=1 seek=900 conv=notrunc status=none ;;
  pool-gone) rm pool/main/acme-tools*; ;;
  index-mismatch) echo >> $dist/main/binary-amd64/Packages; gzip -9kf $dist/main/binary-amd64/Packages ;;
esac
(cd $RUN/repo; exec python3 -m http.server --bind $IP 80 > $RUN/http.log 2>&1) &
for i in $(seq 50); do (echo > /dev/tcp/$IP/80) 2>/dev/null && break; sleep 0.1; done
cd $app
echo "deb [signed-by=/usr/share/keyrings/acme.gpg] http://packages.example.org $suite main" > acme.list
echo "deb http://packages.example.org $suite main" > acme-unsigned-by.list
set +e
