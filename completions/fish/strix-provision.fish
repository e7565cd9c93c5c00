# SPDX-License-Identifier: MIT
# fish completion: all words come from the program itself.

function __strix_provision_command
    set -l names (strix-provision __complete commands 2>/dev/null | string split -f1 \t)
    for word in (commandline -opc)[2..]
        if contains -- $word $names
            echo $word
            return
        end
    end
end

function __strix_provision_words
    set -l command (__strix_provision_command)
    set -l options (strix-provision __complete options $command 2>/dev/null)
    set -l current (commandline -ct)
    set -l previous (commandline -opc)[-1]
    set -l prefix ""

    if string match -q -- '--*=*' $current
        set previous (string split -m1 -f1 = -- $current)
        set prefix "$previous="
    end
    for line in $options
        set -l parts (string split \t -- $line)
        string match -q -- $previous $parts[1]; and test -n "$parts[2]"; or continue
        switch $parts[2]
            case DIR
                __fish_complete_directories (string replace -- $prefix "" $current) | string replace -r '^' -- $prefix
            case FILE
                __fish_complete_path (string replace -- $prefix "" $current) | string replace -r '^' -- $prefix
            case ID
                # a list with commas: what stands before the last one is kept
                set -l before (string match -r '^.*,' -- (string replace -- $prefix "" $current))
                strix-provision __complete values (string replace -- -- "" $previous) 2>/dev/null | string replace -r '^' -- $prefix$before
            case '*'
                strix-provision __complete values (string replace -- -- "" $previous) 2>/dev/null | string replace -r '^' -- $prefix
        end
        return
    end
    if string match -q -- '-*' $current
        for line in $options
            set -l parts (string split \t -- $line)
            printf '%s\t%s\n' $parts[1] $parts[3]
        end
    else if test -z "$command" -o "$command" = help
        strix-provision __complete commands 2>/dev/null
    else if test "$command" = explain
        strix-provision __complete ids 2>/dev/null
    else if test "$command" = firmware
        strix-provision __complete firmware 2>/dev/null
    end
end

complete -c strix-provision -f -a '(__strix_provision_words)'
