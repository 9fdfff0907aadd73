#compdef jobx
# zsh completion for jobx: eval "$(jobx completions zsh)"
_jobx() {
  local line mode=
  local -a values shown
  while IFS= read -r line; do
    if [[ -z $mode ]]; then
      mode=$line
    else
      values+=("${line%%$'\t'*}")
      shown+=("${line/$'\t'/  -- }")
    fi
  done < <("${words[1]/#\~/$HOME}" _complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#values )) && compadd -l -V jobx -d shown -a values
  case $mode in
    files) _files ;;
    folders) _files -/ ;;
    commands) _command_names -e; _files ;;
  esac
}
if (( ! $+functions[compdef] )); then
  autoload -Uz compinit && compinit
fi
compdef _jobx jobx
