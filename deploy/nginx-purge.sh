#!/bin/sh
# Makes nginx forget all of a presentation: its manifests, fragments and segments, in every spelling of letter case.
#
#   nginx-purge.sh films/a.ism [FILE]
#
# The free nginx cannot find objects by a part of their key. This gives those of the presentation new keys instead, by a line in
# FILE (default: /etc/nginx/smooth-origin.purged), and reloads nginx, which breaks no connection. The old objects go when nobody
# has requested them for the time of `inactive`. A name has no percent signs: `films/two words.ism`.
set -eu

title=${1:?"give the path of a presentation, such as films/a.ism"}
file=${2:-/etc/nginx/smooth-origin.purged}
case $title in *'"'* | *'
'*) echo "nginx-purge.sh: a name with quotation marks or line ends cannot be purged so" >&2; exit 2 ;; esac

# Each character that means something in a regular expression stands for itself.
escaped=$(printf '%s' "${title#/}" | sed 's/[][\\.*^$+?(){}|]/\\&/g')
line="\"~*^/$escaped(?:/|\$)\""

touch "$file"
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
{ grep -vF -- "$line" "$file" || true; echo "$line $(date +%s%N);"; } >"$new"
chmod 644 "$new"
mv "$new" "$file"
${NGINX_COMMAND:-nginx} -t -q
${NGINX_COMMAND:-nginx} -s reload
