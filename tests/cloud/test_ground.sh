#!/usr/bin/env bash
# Tests what up, down and enter promise, on an instance of its own: a copy of these scripts in build/test-ground is a
# checkout of its own, so a cloud that runs already is left alone. Without the AWS endpoint, which has its own tests.
# Needs about half a minute once the root is cached; prints a line a check and ends with 1 if one failed.
# What is in single quotes is for a shell inside.
# shellcheck disable=SC2016
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/../.." && pwd -P)/build/test-ground
cloud=$top/tests/cloud

if ((EUID != 0)); then
    exec sudo -E -- env "PATH=$PATH" "$0" "$@"
fi

[[ ! -x $cloud/down ]] || "$cloud/down"
rm -rf -- "$top"
mkdir -p "$cloud"
cp -a "$here"/{up,down,enter,ground} "$cloud/"
cleanup() {
    "$cloud/down" || true
    rm -rf -- "$top"
}
trap cleanup EXIT
cd "$top"
enter=$cloud/enter
group=$(
    # shellcheck source-path=SCRIPTDIR source=ground/common.sh
    . "$cloud/ground/common.sh"
    # shellcheck source-path=SCRIPTDIR source=ground/cgroups.sh
    . "$cloud/ground/cgroups.sh"
    cgroup_name
)

failed=0
passed=0
# check TEXT COMMAND…: passes if COMMAND ends with 0, within a minute. It runs in a process group of its own (set -m), so
# that what hangs can be ended with all that it started.
set -m
check() {
    local text=$1 job status=0 tries=0
    shift
    ("$@") >output 2>&1 </dev/null &
    job=$!
    while kill -0 "$job" 2>/dev/null; do
        ((++tries <= 1200)) || { echo "takes more than a minute" >>output && kill -KILL -- "-$job"; }
        sleep 0.05
    done
    wait "$job" || status=$?
    if ((status == 0)); then
        passed=$((passed + 1))
        echo "ok    $text"
    else
        failed=$((failed + 1))
        echo "FAIL  $text"
        tail -n 15 output | sed 's/^/      /'
    fi
}
# same WANTED COMMAND…: COMMAND prints exactly WANTED.
same() {
    local wanted=$1 got
    shift
    got=$("$@") || return
    [[ $got == "$wanted" ]] || {
        printf 'wanted: %s\ngot: %s\n' "$wanted" "$got"
        return 1
    }
}
# ends STATUS COMMAND…
ends() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    ((status == wanted)) || {
        echo "ended with $status, not $wanted"
        return 1
    }
}
# within MILLISECONDS COMMAND…
within() {
    local limit=$1 began=${EPOCHREALTIME/./} took
    shift
    "$@" || return
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
    echo "$took ms"
    ((took <= limit))
}
# inside SCRIPT, or the script on standard input with - and ARGUMENTS: run by bash in the instance; any failure fails it.
inside() {
    if [[ $1 == - ]]; then
        "$enter" bash -euo pipefail -c "$(cat)" "$@" </dev/null
    else
        "$enter" bash -euo pipefail -c "$1"
    fi
}
nothing_left() {
    local left
    # A mount of its own shows in each of its processes; its control groups go only when they hold no process.
    left=$(grep -l "$top" /proc/[0-9]*/mountinfo 2>/dev/null || true)
    left+=$(find /sys/fs/cgroup -type d -name "$group")
    left+=$(ip netns list)
    left+=$(find build -mindepth 1 ! -path 'build/cloud*')
    left+=$(find build/cloud -mindepth 1 -maxdepth 1 ! -name log)
    [[ -z $left ]] || {
        printf 'left: %s\n' "$left"
        return 1
    }
}

# --- the mirror
mirror() {
    local apt
    apt=$(mktemp -d "$top/apt.XXXX")
    mkdir "$apt/sources.list.d"
    cat >"$apt/$1"
    bash -c '. "$0/ground/make-root"; apt_mirror "$1" bookworm' "$cloud" "$apt"
}
one_line() {
    mirror sources.list <<'END'
# deb http://commented.test/debian bookworm main
deb-src http://source.test/debian bookworm main
deb http://security.test/debian-security bookworm-security main
deb https://other.test/apt stable-thing main
deb [arch=amd64 signed-by=/some/key.gpg] http://first.test/debian bookworm contrib main # comment
deb http://second.test/debian bookworm main
END
}
deb822() {
    mirror sources.list.d/debian.sources <<'END'
Types: deb
URIs: http://disabled.test/debian
Suites: bookworm
Components: main
Enabled: no

# a comment
Types: deb-src
URIs: http://source.test/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://security.test/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
# in between
URIs:
 http://first.test/debian
 http://another.test/debian
Suites: bookworm-updates
 bookworm
Components: contrib main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 URIs: http://key.test
END
}
check "the mirror, from the one-line format" same http://first.test/debian one_line
check "and from deb822" same http://first.test/debian deb822

# --- up
check "enter says that nothing runs" ends 2 "$enter" true
check "up" "$cloud/up"
first=$(<build/cloud/init)
check "up again, in under a second" within 1000 "$cloud/up"
check "which is the same instance" same "$first" cat build/cloud/init
check "with one engine" same 1 "$enter" pgrep -cx dockerd
check "another suite is refused while it runs" ends 1 env CLOUD_SUITE=another "$cloud/up"
check "the lock is free while the parts run" flock -n build/cloud.lock true

# --- enter
check "in /src, which is the checkout" same "/src tests" inside 'echo "$PWD $(ls -d tests)"'
check "arguments as they are" same "<a  b><><*><\$x>" "$enter" printf '<%s>' 'a  b' '' '*' "\$x"
check "environment kept" same "one two" env GROUND="one two" "$enter" printenv GROUND
check "standard input" same "hello" bash -c "echo hello | '$enter' cat"
check "exit code" ends 37 "$enter" sh -c 'exit 37'
check "no such command: 127" ends 127 "$enter" no-such-command
check "killed by a signal: 128 and its number" ends 143 "$enter" sh -c 'kill -TERM $$'
signalled() {
    local pid status=0
    # A shell starts what is in its background deaf to SIGINT.
    env "--default-signal=$1" "$enter" bash -c "trap 'echo got it; exit 42' $1; touch /tmp/waiting
        for try in {1..200}; do sleep 0.05; done" &
    pid=$!
    until "$enter" rm /tmp/waiting 2>/dev/null; do sleep 0.05; done
    kill "-$1" "$pid"
    wait "$pid" || status=$?
    ((status == 42))
}
check "SIGTERM reaches the command" same "got it" signalled TERM
check "SIGINT too" same "got it" signalled INT
killed() {
    local pid
    "$enter" sleep 4321 &
    pid=$!
    until "$enter" pgrep -f 'sleep 4321' >/dev/null; do sleep 0.05; done
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    sleep 0.2
    ! "$enter" pgrep -f 'sleep 4321'
}
check "SIGKILL takes the command along" killed

# --- names and network
check "an unknown name fails at once" within 500 inside '! getent hosts example.com'
check "no route outside" inside '! ip route get 198.51.100.1 2>/dev/null'
check "in a container, too" within 3000 "$enter" docker run --rm busybox sh -c \
    '! nslookup example.com && ! wget -T 2 -qO- http://198.51.100.1/'
to_the_host() {
    inside - <<'END'
cd "$(mktemp -d)"
echo from the host >index.html
python3 -m http.server --bind 172.17.0.1 8081 >/dev/null 2>&1 &
server=$!
until curl -sfo /dev/null http://172.17.0.1:8081/; do sleep 0.05; done
docker run --rm busybox wget -qO- http://172.17.0.1:8081/index.html
kill $server
END
}
check "a container reaches the bridge's address" same "from the host" to_the_host
to_the_container() {
    inside - <<'END'
id=$(docker run -d --rm busybox sh -c 'echo from the container >/tmp/index.html; exec httpd -f -h /tmp -p 8080')
address=$(docker inspect -f '{{.NetworkSettings.IPAddress}}' "$id")
for try in {1..100}; do (: <"/dev/tcp/$address/8080") 2>/dev/null && break; sleep 0.05; done
curl -sf "http://$address:8080/index.html"
docker rm -f "$id" >/dev/null
END
}
check "and is reached from outside" same "from the container" to_the_container

# --- certificates
# The engine must take the cloud's certificates and no others from a registry. Not on port 443: the endpoint's.
registry_with() {
    inside - "$@" <<'END'
cd "$(mktemp -d)"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=other \
    -addext "subjectAltName=DNS:*.dkr.ecr.us-east-1.amazonaws.com" -keyout other.key -out other.pem 2>/dev/null
cat >server.py <<'PYTHON'
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(("192.0.2.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2] + ".pem", sys.argv[2] + ".key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
python3 server.py "$1" "$2" >/dev/null 2>&1 &
server=$!
until (: </dev/tcp/192.0.2.1/"$1") 2>/dev/null; do sleep 0.05; done
echo "FROM 123456789012.dkr.ecr.us-east-1.amazonaws.com:$1/base:1" >Dockerfile
buildx build --progress=plain . >log 2>&1 && exit 1
kill $server
cat log
grep -q "dkr.ecr" log
case $3 in
refused) grep -q "unknown authority" log ;;
taken) grep -q "not found" log ;;
esac
END
}
check "the engine takes a certificate of the cloud's CA" registry_with 8441 /etc/cloud/server taken
check "and none of another CA" registry_with 8442 other refused
for name in 123456789012.dkr.ecr.us-east-1 210987654321.dkr.ecr.eu-west-1 api.ecr.us-east-1 lambda.us-east-1 sts.eu-west-1 logs.us-east-1; do
    check "$name.amazonaws.com leads here and is certified" inside "
        getent hosts $name.amazonaws.com
        openssl verify -verify_hostname $name.amazonaws.com /etc/cloud/server.pem"
done
check "so are function URLs" "$enter" openssl verify -verify_hostname live--hello.lambda-url.us-east-1.on.aws /etc/cloud/server.pem

# --- builds
build() {
    inside - "$@" <<'END'
at=127.0.0.1:5000/ground
cd "$(mktemp -d)"
echo hello >file
printf 'FROM busybox\nCOPY file /file\nRUN cat /file >/copy && date >/date\nCMD ["cat","/copy"]\n' >Dockerfile
# Prints the steps of the progress, which is one JSON object after another, in however many lines.
steps() {
    python3 -c 'import json, sys
text = sys.stdin.read().strip()
while text:
    event, end = json.JSONDecoder().raw_decode(text)
    for step in event.get("vertexes", []):
        print("cached" if step.get("cached") else "step", step["name"])
    text = text[end:].lstrip()' <"$1"
}
build() {
    buildx build --progress=rawjson --provenance=false --metadata-file "$1" "${@:2}" \
        --cache-from "type=registry,ref=$at:cache" . 2>"$1.log" || { cat "$1.log"; exit 1; }
    steps "$1.log" >"$1.steps"
}
build one --cache-to "type=registry,ref=$at:cache,mode=max,image-manifest=true,oci-mediatypes=true" \
    --output "type=image,name=$at:one,push=true"
curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://127.0.0.1:5000/v2/ground/manifests/cache" |
    python3 -c 'import json,sys; m=json.load(sys.stdin); assert m["mediaType"].endswith("image.manifest.v1+json") and len(m["layers"]) >= 3, m'
# From nothing but the registry: the same image, and nothing is run.
docker image rm "$at:one" >/dev/null
buildx prune --all --force >/dev/null
build two --output "type=image,name=$at:two,push=true"
grep '^step .* RUN cat' one.steps
grep '^cached .* RUN cat' two.steps
python3 - <<'PYTHON'
import json
one, two = (json.load(open(name))["containerimage.digest"] for name in ("one", "two"))
assert one == two, (one, two)
PYTHON
docker image rm "$at:two" >/dev/null
[[ $(docker run --rm "$at:two") == hello ]]
END
}
check "build, push, cache in the registry, build again from it, run" build
compile() {
    inside - "$@" <<'END'
cd "$(mktemp -d)"
printf '#include <math.h>\n#include <stdio.h>\nint main(int c, char **v) { (void)v; return printf("%%g\\n", sqrt(c + 3)) < 0; }\n' >a.c
printf 'FROM gcc:14 AS build\nCOPY a.c .\nRUN gcc -O2 -Wall -Werror -static -o /a a.c -lm && cc -o /b a.c -lm && /b\nFROM scratch\nCOPY --from=build /a /a\nENTRYPOINT ["/a"]\n' >Dockerfile
buildx build --progress=plain --provenance=false --tag compiled . >log 2>&1 || { cat log; exit 1; }
docker run --rm compiled
END
}
check "compile in gcc:14, run from scratch" same 2 compile
check "and in under thirty seconds" within 30000 compile
check "no zombies" inside '! ps -eo stat,comm | grep ^Z'

# --- parts
restarted() {
    inside 'for part in registry engine; do
                read -r pid <"/run/cloud/$part.pid"
                kill -KILL "$pid"
                while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
            done'
    "$cloud/up"
    inside 'curl -sf http://127.0.0.1:5000/v2/; docker run --rm busybox true'
    same "$first" cat build/cloud/init
}
check "up starts parts again that ended" restarted

# --- ends
check "not from inside" ends 2 "$enter" tests/cloud/down
kill -KILL "${first% *}"
check "its first process killed, up starts another" "$cloud/up"
second=$(<build/cloud/init)
check "which is not the first" test "$first" != "$second"
check "without its images" inside '! docker image inspect compiled >/dev/null 2>&1'
"$enter" docker run -d busybox sleep 1000 >/dev/null
"$enter" sleep 1234 &
left=$!
until "$enter" pgrep -fx 'sleep 1234' >/dev/null; do sleep 0.05; done
check "down, with a container and a command running" "$cloud/down"
status=0
wait "$left" || status=$?
check "the command ended with it" test "$status" = 137
check "nothing is left" nothing_left
check "down again" "$cloud/down"
removed() {
    "$cloud/up" && rm -rf --one-file-system build && "$cloud/up" && "$cloud/enter" docker run --rm busybox true && "$cloud/down"
}
check "its files removed while it ran: up and down all the same" removed
check "nothing is left of either" nothing_left
other_process() {
    sleep 5 &
    mkdir -p build/cloud
    echo "$! 1" >build/cloud/init
    "$cloud/down"
    sleep 0.1
    grep 'State:.S' "/proc/$!/status" && kill "$!"
}
check "a process that merely has its process ID is not killed" other_process

echo "$passed passed, $failed failed"
((failed == 0))
