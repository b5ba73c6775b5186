# shellcheck shell=sh disable=SC2154
# ./parley's commands for developers, test and bench, which it reads when they are asked for. What is here is the script's: root, build,
# say, die, set_up and those that install and build.

test_packages='libcmocka-dev libseccomp-dev systemd clang libclang-rt-14-dev chromium coturn faketime iproute2'
bench_packages='nginx-light wrk'

# program NAME: where it is, from whatever folder: tests run in their own.
program() {
    found=$(realpath "$(command -v "$1" || echo "$1")")
    [ -x "$found" ] || die "$1 is no program"
    printf '%s\n' "$found"
}

# ---- test ----

test_unit() {
    say "unit tests, gcc"
    build_in "$build" -DWITH_TESTS=ON
    ctest --test-dir "$build" --output-on-failure
    say "unit tests, clang"
    build_in "$build-clang" -DWITH_TESTS=ON -DCMAKE_C_COMPILER=clang
    ctest --test-dir "$build-clang" --output-on-failure -E room_search
    say "unit tests, AddressSanitizer and UndefinedBehaviorSanitizer"
    build_in "$build-sanitize" -DWITH_TESTS=ON -DSANITIZE=ON
    ctest --test-dir "$build-sanitize" --output-on-failure
    say "the page: types and unit tests"
    (cd "$root/tests" && npx --no-install tsc -p ../web)
    (cd "$root/tests" && node --test web/*.test.mjs)
}

test_broker() {
    say "broker tests"
    build_in "$build" -DWITH_TESTS=ON
    (cd "$root/tests" && node --test --test-concurrency=1 broker/*.test.mjs access/*.test.mjs)
    say "broker tests, AddressSanitizer and UndefinedBehaviorSanitizer"
    build_in "$build-sanitize" -DWITH_TESTS=ON -DSANITIZE=ON
    (cd "$root/tests" && PARLEY_BUILD_DIR="$build-sanitize" node --test --test-concurrency=1 broker/*.test.mjs access/*.test.mjs)
}

test_security() {
    say "attacks"
    build_in "$build" -DWITH_TESTS=ON
    (cd "$root/tests" && node --test --test-concurrency=1 security/*.test.mjs)
    say "attacks, AddressSanitizer and UndefinedBehaviorSanitizer"
    build_in "$build-sanitize" -DWITH_TESTS=ON -DSANITIZE=ON
    (cd "$root/tests" && PARLEY_BUILD_DIR="$build-sanitize" node --test --test-concurrency=1 security/*.test.mjs)
}

test_fuzz() {
    say "fuzzing, a minute for each target"
    BUILD_DIR="$build-fuzz" "$root/tests/fuzz/run" -j "$(nproc)" 60
}

test_browser() {
    say "browser tests"
    build_in "$build" -DWITH_TESTS=ON
    (cd "$root/tests" && node --test --test-concurrency=1 browser/*.test.mjs)
}

test_faults() {
    say "faults"
    build_in "$build" -DWITH_TESTS=ON
    (cd "$root/tests" && node faults/run.mjs "$@")
}

# The soak takes its ten minutes beside other tests: it looks at memory, not at times.
test_all() {
    test_unit
    test_broker
    test_security
    soak_log=$(mktemp)
    (cd "$root/tests" && exec node faults/run.mjs --only soak) >"$soak_log" 2>&1 &
    soak=$!
    trap 'kill "$soak" 2>/dev/null || :; rm -f "$soak_log"' EXIT
    test_fuzz
    test_browser
    # Elsewhere, with other work on the machine, times are held to three times what they have to be; everything else as it is.
    PARLEY_FAULTS_SLACK=3 test_faults --points 5 --only kills,standby,clock,disk,crowd,pictures,network
    say "the soak"
    soaked=0
    wait "$soak" || soaked=$?
    cat "$soak_log"
    [ $soaked -eq 0 ] || die "the soak failed"
}

# command_test KIND… OPTION…, with `--mosquitto P` anywhere between them; what else there is goes to the fault programme.
command_test() {
    kinds=
    before=
    for word in "$@"; do
        shift
        if [ "$before" = --mosquitto ]; then
            PARLEY_MOSQUITTO=$(program "$word")
            export PARLEY_MOSQUITTO
        else
            case $word in
            --mosquitto) ;;
            all | unit | broker | security | fuzz | browser | faults) kinds="$kinds $word" ;;
            *) set -- "$@" "$word" ;;
            esac
        fi
        before=$word
    done
    [ "$before" != --mosquitto ] || die "--mosquitto needs a value"
    case " $kinds " in
    *" faults "*) ;;
    *) [ $# -eq 0 ] || die "there are no tests called $1 (unit, broker, security, fuzz, browser, faults)" ;;
    esac
    set_up
    # shellcheck disable=SC2086 # a list of words
    install_packages $test_packages
    install_node_packages "$root/tests"
    for kind in ${kinds:-all}; do
        "test_$kind" "$@"
    done
}

# ---- bench ----

command_bench() {
    before=
    for word in "$@"; do
        shift
        case $before in
        --mosquitto) word=$(program "$word") ;;
        --json) word=$(realpath "$word") ;;
        esac
        set -- "$@" "$word"
        before=$word
    done
    set_up
    had_nginx=$(command -v nginx || :)
    # shellcheck disable=SC2086 # a list of words
    install_packages $test_packages $bench_packages
    # Its package starts a web server for all the network, on port 80, now and at every boot: it is only to be measured.
    [ -n "$had_nginx" ] || as_root systemctl disable --now nginx >&2 || :
    install_node_packages "$root/tests"
    build_in "$build" -DWITH_TESTS=ON
    raise_descriptor_limit
    (cd "$root/tests" && exec node bench/run.mjs "$@")
}
