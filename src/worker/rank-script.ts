import type { Usage } from "../model/records.ts";
import type { RankLauncher } from "./element.ts";

/**
 * The words that run a command as one rank on whatever host the scheduler starts them: sh and a script, which tells
 * the rank its number, has its output in logs of its own, and leaves its exit code, its times and the most memory that its
 * step's control group has held, where Slurm made one, in a file that `readRankEnd` reads. The scheduler's launcher
 * passes signals to this shell alone: SIGUSR2 warns, SIGUSR1 ends. The command keeps every descriptor that the
 * launcher gave, as MPI needs it.
 */
export function rankWords(
  launcher: RankLauncher,
  argv: string[],
  place: {
    /** Paths up to the rank: `logs/3` of `logs/3.1.out`, `values/3.0` of `values/3.0.1.end`. */
    log: string;
    end: string;
    merged: boolean;
    distributed: boolean;
    /** Without a listener, a warning ends the command: it is to be run again from its start. */
    endsUnheard: boolean;
  },
): string[] {
  const script = SCRIPT.replace("@RANK", launcher.rankVariable).replace("@LOCAL", launcher.localRankVariable);
  const flags = [place.merged, place.distributed, place.endsUnheard].map((flag) => (flag ? "yes" : ""));
  return ["sh", "-c", script, "jobx", place.log, place.end, ...flags, ...argv];
}

/**
 * A process listens to SIGUSR2 when bit 11 of SigCgt is set (proc(5)). A child that the shell has just forked still has
 * the shell's own handlers, and loses what it is sent: `await_start` waits until it has others,
 * without a process of its own, since dash forgets the exit code of one that ends meanwhile.
 */
const SCRIPT = `
log=$1 end=$2 merged=$3 distributed=$4 ends_unheard=$5
shift 5
export JOBX_RANK="$@RANK" JOBX_LOCAL_RANK="$@LOCAL" JOBX_NODE="$(uname -n)"
test -z "$distributed" || export RANK="$JOBX_RANK" LOCAL_RANK="$JOBX_LOCAL_RANK"
export JOBX_RESULT="$end.$JOBX_RANK.json"
test "$JOBX_RANK" = 0 || log=$log.$JOBX_RANK
exec >>"$log.out"
if test -n "$merged"; then exec 2>&1; else exec 2>>"$log.err"; fi
listens() {
  while read -r name value; do
    case $name$value in SigCgt:*[89a-f]??) return 0 ;; esac
  done 2>/dev/null <"/proc/$1/status"
  return 1
}
caught() {
  mask=
  while read -r name value; do
    case $name in SigCgt:) mask=$value ;; esac
  done 2>/dev/null <"/proc/$1/status"
}
await_start() {
  caught $$
  own=$mask tries=20000
  while test "$tries" -gt 0; do
    caught "$child"
    test "$mask" = "$own" || return 0
    tries=$((tries - 1))
  done
}
warn() {
  if test -n "$2" || listens "$1"; then kill -USR2 "$1" && heard=yes; fi
  for below in $(cat "/proc/$1/task/"*/children 2>/dev/null); do warn "$below" "$2"; done
}
on_warning() {
  interrupted=yes heard=
  test -n "$child" || return
  await_start
  if listens "$child"; then warn "$child" all; else warn "$child" ""; fi 2>/dev/null
  if test -z "$heard$ends_unheard"; then return; fi
  test -n "$heard" || kill -TERM "$child"
}
trap on_warning USR2
on_end() {
  interrupted=yes ending=yes
  test -n "$child" || return
  await_start
  kill -TERM "$child"
}
child= ending=
trap on_end USR1 TERM
"$@" &
child=$!
test -z "$ending" || on_end
interrupted=yes
while test -n "$interrupted"; do interrupted=; wait "$child"; code=$?; done
peak=
while IFS=: read -r name controller path; do
  case $controller:$path in
    memory:*/step_*) file=/sys/fs/cgroup/memory$path/memory.max_usage_in_bytes ;;
    :*/step_*) file=/sys/fs/cgroup$path/memory.peak ;;
    *) continue ;;
  esac
  test ! -r "$file" || read -r peak <"$file"
done </proc/self/cgroup
{ echo "$code" && times && echo "$peak"; } >"$end.$JOBX_RANK.end"
exit "$code"
`;

/**
 * What the script left in its file: the exit code as the shell has it, and what the command used where that is known.
 * Null where the code is not there as a whole line: a full disk leaves the file empty.
 */
export function readRankEnd(text: string): { code: number; usage: Usage | null } | null {
  const [first = "", , children = "", peak = ""] = text.split("\n");
  if (!/^\d+\n/.test(text)) return null;
  const code = Number(first);
  const times = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s/.exec(children)?.slice(1).map(Number);
  if (!times || peak === "") return { code, usage: null };
  const [userMinutes = 0, userSeconds = 0, systemMinutes = 0, systemSeconds = 0] = times;
  const usage: Usage = {
    maxRssBytes: Number(peak),
    // All ranks of the step on that host share the group.
    maxRssIsUpperBound: true,
    userSeconds: userMinutes * 60 + userSeconds,
    systemSeconds: systemMinutes * 60 + systemSeconds,
  };
  return { code, usage };
}
