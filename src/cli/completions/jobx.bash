# bash completion for jobx: eval "$(jobx completions bash)"
_jobx() {
  local line mode= cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $mode ]]; then mode=$line; else COMPREPLY+=("${line%%$'\t'*}"); fi
  done < <("${1/#\~/$HOME}" _complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [[ $cur == = ]] && cur=
  case $mode in
    files) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$cur")) ;;
    folders) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$cur")) ;;
    commands) COMPREPLY+=($({ compgen -c -- "$cur"; compgen -f -- "$cur"; } | sort -u)) ;;
  esac
}
complete -o nosort -F _jobx jobx 2>/dev/null || complete -F _jobx jobx
