# fish completion for jobx: jobx completions fish > ~/.config/fish/completions/jobx.fish
function __jobx_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    set -e words[1]
    set -l answer ($program _complete -- $words 2>/dev/null)
    set -l mode $answer[1]
    set -e answer[1]
    test (count $answer) -gt 0; and printf '%s\n' $answer
    switch "$mode"
        case files commands
            __fish_complete_path (commandline -ct)
        case folders
            __fish_complete_directories (commandline -ct)
    end
end
complete -c jobx -f -k -a '(__jobx_complete)'
