#include "respond/host_script.h"

namespace mailwarden::respond {
namespace {

// A folder is entered and what is in it is named from there ("./name"), so that nobody can put a
// link into the way afterwards. A file is moved before its hash counts: in quarantine only root, or
// whom the script runs as, can change it. What a run that was cut short has left is gone on with.
constexpr std::string_view script = R"sh(
set -u
LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 077
nl="
"
say() {
  printf "%s\n" "$1"
  exit 0
}
value() {
  IFS= read -r coded || say broken
  value=$(printf "%bx" "$coded")
  value=${value%x}
}
hash_of() {
  sum=$(sha256sum <"$1" 2>/dev/null) || sum=
  sum=${sum%% *}
}
is_file() { [ -f "$1" ] && [ ! -L "$1" ]; }
enter() {
  cd -P -- "$1" 2>/dev/null || return 1
  here=$(pwd -P; printf x)
  [ "$here" = "$1${nl}x" ] || say link
}
open_keep() {
  mkdir -p -- "$keep" || say failed
  [ -d "$keep" ] && [ ! -L "$keep" ] && [ -O "$keep" ] || say foreign
  chmod 700 -- "$keep" || say failed
}
file_values() {
  value; keep=$value
  value; folder=$value
  value; name=$value
  value; hash=$value
  value; kept=$keep/$value
}
has_it() {
  is_file "./$name" || return 1
  hash_of "./$name"
  [ "$sum" = "$hash" ]
}

quarantine() {
  open_keep
  if ! enter "$folder"; then
    [ ! -f "$kept" ] || say done
    say missing
  fi
  if [ ! -e "$kept.new" ] && [ ! -L "$kept.new" ]; then
    if ! has_it; then
      [ ! -f "$kept" ] || say done
      [ ! -L "./$name" ] || say link
      [ -e "./$name" ] || say missing
      say differs
    fi
    stat -c "%u %g %a" -- "./$name" >"$kept.was.new" || say failed
    mv -f -- "$kept.was.new" "$kept.was" || say failed
    mv -fT -- "./$name" "$kept.new" || say failed
  fi
  if is_file "$kept.new"; then chmod 400 -- "$kept.new" || back failed; fi
  sum=
  is_file "$kept.new" && hash_of "$kept.new"
  [ "$sum" = "$hash" ] || back differs
  chmod 0 -- "$kept.new" || back failed
  mv -fT -- "$kept.new" "$kept" || say failed
  sync -- "$keep" 2>/dev/null
  say done
}
back() {
  read -r uid gid mode <"$kept.was"
  if is_file "$kept.new"; then chmod "$mode" -- "$kept.new"; fi
  mv -nT -- "$kept.new" "./$name"
  say "$1"
}

release() {
  if [ ! -f "$kept" ]; then
    if enter "$folder" && has_it; then say done; fi
    say missing
  fi
  enter "$folder" || say nowhere
  if [ -e "./$name" ] || [ -L "./$name" ]; then say occupied; fi
  read -r uid gid mode <"$kept.was" || say broken
  if [ "$(stat -c "%u %g" -- "$kept")" != "$uid $gid" ]; then
    chown "$uid:$gid" -- "$kept" || say failed
  fi
  chmod "$mode" -- "$kept" || say failed
  mv -nT -- "$kept" "./$name" || say failed
  if [ -e "$kept" ]; then
    chmod 0 -- "$kept"
    say occupied
  fi
  rm -f -- "$kept.was"
  say done
}

probe() {
  if enter "$folder" && has_it; then say there; fi
  [ ! -f "$kept" ] || say kept
  say missing
}

folders() {
  others=$#
  value; count=$value
  while [ "$count" -gt 0 ]; do
    value
    if [ -d "$value" ]; then set -- "$@" "$value"; fi
    count=$((count - 1))
  done
  [ $# -gt "$others" ] || say "end 0"
  "$look" "$@"
  exit 0
}
sweep() {
  {
    nice -n 19 timeout -k 2 "$seconds" find "$@" -xdev -path "$keep" -prune -o \
      -type f -size "-${bytes}c" -exec sha256sum {} + 2>/dev/null
    printf "end %s\n" "$?"
  } | head -n "$files" | grep -e "^end " -e "^[\\]\{0,1\}$hash " | head -n 501
}
scan() {
  nice -n 19 timeout -k 2 "$seconds" "$program" scan --format json --threads 1 \
    --bytes-max "$bytes" "$@" 2>/dev/null
  printf "\nend %s\n" "$?"
}

value; what=$value
case $what in
  quarantine | release | probe)
    file_values
    "$what"
    ;;
  sweep)
    value; keep=$value
    value; seconds=$value
    value; bytes=$value
    value; files=$value
    value; hash=$value
    look=sweep
    folders
    ;;
  scan)
    value; seconds=$value
    value; bytes=$value
    value; program=$value
    value; count=$value
    while [ "$count" -gt 0 ]; do
      value
      set -- "$@" --rules "$value"
      count=$((count - 1))
    done
    look=scan
    folders "$@"
    ;;
esac
say broken
)sh";

}  // namespace

std::string_view host_script() {
  return script;
}

std::string host_input(const std::vector<std::string>& values) {
  std::string input;
  for (const std::string& value : values) {
    for (const char c : value) {
      const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                            (c >= 'A' && c <= 'Z') || std::string_view("/._-").contains(c);
      if (is_plain) {
        input += c;
        continue;
      }
      const unsigned byte = static_cast<unsigned char>(c);
      // printf's %b knows up to three digits behind "\0".
      input += "\\0";
      for (const unsigned shift : {6U, 3U, 0U}) {
        input += static_cast<char>('0' + (byte >> shift & 7U));
      }
    }
    input += '\n';
  }
  return input;
}

}  // namespace mailwarden::respond
