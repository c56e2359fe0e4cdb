# Sourced by ./run, ./test and ./lint: makes .venv hold exactly the packages of one lock file. Needs only sh and python3.
#   use_environment requirements.txt
set -eu

PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

say() { printf '%s\n' "$*" >&2; }

install_venv_module() {
    say "python3-venv is missing: installing it with apt-get"
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}

make_environment() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        say "LeadCRM needs Python 3.11 or newer; $PYTHON is older. Set PYTHON to another one."
        exit 1
    }
    "$PYTHON" -c 'import ensurepip' 2>/dev/null || install_venv_module
    "$PYTHON" -m venv "$VENV"
}

install_packages() {
    pip="$VENV/bin/python -m pip install -q --disable-pip-version-check --require-hashes"
    # uv is twenty times quicker; where it has no build, pip does the same.
    [ -x "$VENV/bin/uv" ] || $pip -r scripts/uv.txt || say "uv is not available: using pip"
    if [ -x "$VENV/bin/uv" ]; then
        "$VENV/bin/uv" pip install -q --python "$VENV/bin/python" --require-hashes -r "$1"
    else
        $pip -r "$1"
    fi
}

use_environment() {
    stamp="$VENV/.installed-$1"
    sum=$(cksum <"$1")
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && return
    [ -x "$VENV/bin/python" ] || { say "Making $VENV"; make_environment; }
    say "Installing the packages of $1"
    install_packages "$1"
    echo "$sum" >"$stamp"
}
