# Sourced by the scripts beside it. Makes .venv in the project's root, and installs the project into it whenever
# pyproject.toml or constraints.txt has changed.
#   prepare_environment [EXTRA]

prepare_environment() {
    local extra="${1:-}" target="." python
    [ -n "$extra" ] && target=".[$extra]"
    if [ ! -x .venv/bin/python ]; then
        python="$(find_python)" || return 1
        "$python" -m venv .venv
    fi
    if ! is_installed "$extra"; then
        echo "Installing into .venv (a few minutes the first time) ..." >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e "$target"
        cat pyproject.toml constraints.txt > ".venv/installed${extra:+-$extra}"
    fi
}

# An installation with an extra contains everything that one without an extra needs.
is_installed() {
    local stamp
    for stamp in ".venv/installed${1:+-$1}" ".venv/installed-${1:-test}"; do
        if cmp -s <(cat pyproject.toml constraints.txt) "$stamp"; then
            return 0
        fi
    done
    return 1
}

find_python() {
    local name
    for name in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
        if [ -n "$name" ] && "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
            echo "$name"
            return 0
        fi
    done
    echo "Python 3.11 or newer with pip and venv is needed, and none was found. To name one: PYTHON=/path/to/python $0" >&2
    return 1
}
