# Sourced by every script: goes to the project's root and puts the pinned Bun into $BUN and the
# packages into node_modules. Needs nothing but one of: npm, any Bun, curl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

bun_version=$(sed -n 's/^ *"bun": "\([0-9.]*\)".*/\1/p' package.json)

is_pinned() { [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "$bun_version" ]; }

find_bun() {
  local candidate
  for candidate in "$PWD/node_modules/.bin/bun" "$PWD/.bun/node_modules/.bin/bun" "$PWD/.bun/bin/bun" "$(command -v bun || true)"; do
    if [ -n "$candidate" ] && is_pinned "$candidate"; then
      BUN=$candidate
      return 0
    fi
  done
  return 1
}

fetch_bun() {
  echo "Getting Bun $bun_version into .bun/" >&2
  mkdir -p .bun
  if command -v npm >/dev/null; then
    npm install --prefix .bun --no-save --no-audit --no-fund --loglevel=error "bun@$bun_version" >&2
  elif command -v bun >/dev/null; then
    (cd .bun && echo '{}' >package.json && bun add --exact "bun@$bun_version") >&2
  elif command -v curl >/dev/null; then
    # Bun's own installer, which takes the version as its argument.
    curl -fsSL https://bun.sh/install | BUN_INSTALL="$PWD/.bun" bash -s "bun-v$bun_version" >&2
  else
    echo "jobx needs Bun $bun_version, and one of npm, bun or curl to get it" >&2
    return 1
  fi
}

find_bun || { fetch_bun && find_bun; } || {
  echo "Bun $bun_version could not be set up; install it by hand and run this again" >&2
  exit 1
}

stamp=node_modules/.installed
if [ ! -e "$stamp" ] || [ bun.lock -nt "$stamp" ] || [ package.json -nt "$stamp" ]; then
  "$BUN" install --frozen-lockfile --silent >&2
  touch "$stamp"
fi
export BUN
