//! Programs over the whole input: what is planned gives what the interpreter gives over the collected array, whatever the
//! threads and the memory.

use std::fmt::Write as _;

use super::tool::{Ran, at, files, finish, kitbag, run};

/// Put before a program, this asks for the array in a way that no plan has: it is collected.
pub(super) const COLLECTED: &str = "(. as $whole | $whole) | ";

/// The programs of the reference page that run with `-s`.
pub(super) fn reference() -> Vec<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/jq/tests/programs.txt")).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("-s ")).map(str::to_owned).collect()
}

/// All of them.
pub(super) fn programs() -> Vec<String> {
    reference()
        .into_iter()
        .chain([MORE, TWICE, RENAMED, DEFINED, PLACES, TURNS, TAKEN, CHOICES].concat().into_iter().map(str::to_owned))
        .collect()
}

/// What looks at the places of elements, and folds that give one object.
const PLACES: &[&str] = &[
    "keys",
    "keys | length",
    "to_entries | map(.value.id)",
    "to_entries | map(select(.key > 3) | [.key, .value.k])",
    "map(.id) | reverse",
    "reverse | .[:2] | map(.id)",
    "reverse | first.id",
    "sort_by(.k) | reverse | map(.id)",
    "map(.id) | to_entries",
    "map(.tags) | flatten",
    "map([.tags, [[.id]]]) | flatten(1)",
    "map([.tags, [[.id]]]) | flatten(2)",
    "flatten",
    "flatten(1)",
    "map(.id) | .[:-2]",
    ".[1:-1] | map(.id)",
    ".[-2:]",
    ".[-3:-1] | map(.id)",
    "map(.id) | .[-2:]",
    "map(.id) | .[:-1] | length",
    ".[:-100]",
    ".[-100:] | length",
    "map({id}) | .[].id |= . + 1",
    ".[].id = 5",
    ".[].n //= 7",
    ".[].id += 1",
    ".[].id |= empty",
    "map({k}) | .[].k |= (., 1)",
    "INDEX(.id)",
    "INDEX(.k) | map_values(.id)",
    "INDEX(.[] | select(.id > 2); .k) | length",
    "map({key: .k, value: .id}) | from_entries",
    "from_entries",
    "join(\",\")",
    "map(.id) | join(\",\")",
    "[.[].k | strings] | join(\"-\")",
    "map(.id) | reverse | map(. // 0) | .[1:]",
    "group_by(.k) | reverse | map(length)",
    "group_by(.k) | map(reverse | map(.id))",
    "group_by(.k) | map(.[-2:] | map(.id))",
    "group_by(.k) | map(keys)",
    "map(if .id > 5 then error(\"late\") else .id end) | reverse",
    "map(if .id > 5 then error(\"late\") else .id end) | .[:-9]",
    "map(if .id > 5 then error(\"late\") else .id end) | keys | .[0]",
];

/// What asks for elements one after the other.
const TURNS: &[&str] = &[
    "group_by(.k)|map([any(.[];.n>2),all(.[];.id<8)])",
    "group_by(.k)|map([any(.n>2),all(.id<8)])",
    "group_by(.k)|map(map(.n>2)|any)",
    "group_by(.k)|map(map(.n>2)|all)",
    "group_by(.k)|map(map(.n)|any(.>2))",
    "group_by(.k)|map(map(.n)|all(.>2))",
    "group_by(.k)|map(first(.[]|select(.n>1)|.id)//0)",
    "group_by(.k)|map(first(.[]|select(.n>1)|.id))",
    "group_by(.k)|map({k:.[0].k,f:first(.[]|select(.n>100)|.id)})",
    "group_by(.k)|map([limit(2;.[]|.id)])",
    "group_by(.k)|map([limit(2;.[]|.tags[]?)])",
    "group_by(.k)|map([limit(0;.[]|.id)])",
    "group_by(.k)|map(reduce .[] as $r (0;.+$r.id))",
    r#"group_by(.k)|map(reduce .[] as $r ({};.[$r.u//"-"]+=1))"#,
    "group_by(.k)|map(reduce .[] as {id:$i,n:$n} ([];.+[$i,$n]))",
    "group_by(.k)|map(reduce .[] as [$i] ([];.+[$i]))",
    "group_by(.k)|map(reduce .[].id as $i (null; if .==null or $i>. then $i else . end))",
    "group_by(.k)|map(reduce (.[]|.tags[]?) as $t ([]; .+[$t])|length)",
    "group_by(.k)|map(reduce .[] as $r (0; empty))",
    "group_by(.k)|map(reduce .[] as $r (0; .+$r.x))",
    r#"group_by(.k)|map(try (reduce .[] as $r (0; .+$r.x)) catch "bad")"#,
    r#"group_by(.k)|map([.[0].k, (try (first(.[]|.x+1|select(.>9))) catch "bad")])"#,
    "group_by(.k)|map(isempty(.[]|select(.n>2)))",
    "group_by(.k)|map(nth(1;.[]|.id))",
    "group_by(.k)|map(last(.[]|.id))",
    "group_by(.k)|map(select(any(.n>2))|length)",
    "group_by(.k)|map(group_by(.u)|map([.[0].u,any(.n>1)]))",
    "group_by(.k)|map(group_by(.u)|map(reduce .[] as $r (0;.+$r.id)))",
    "{n:length,a:any(.n>2),b:all(.id<8)}",
    "{n:length,r:(reduce .[] as $r (0;.+$r.id))}",
    "[length,first(.[]|.tags[]?),([limit(3;.[]|.tags[]?)]|length)]",
    "any(.n>2)",
    "all(.n>2)",
    "any(.[];.x==null)",
    "any(.x+1>0)",
    "all(.x+1>0)",
    "any(.[];.x+1>0)",
    "any",
    "all",
    "map(.n>2)|any",
    "map(.n>2)|all",
    "map(.x+1)|any(.>0)",
    "map(.x)|any(.+1>0)",
    "map(.x)|all(.+1>5)",
    "any(.n>2)|not",
    "any(.n>2),all(.id>0)",
    "[any(.n>2)]",
    r#"if any(.n>2) then "y" else "n" end"#,
    "map(.id)|first(.[]|select(.>3))",
    "map(.x+1)|first(.[])",
    "map(.id)|[limit(3;.[])]",
    r#"try any(.x+1>0) catch "bad""#,
    r#"try all(.x|tonumber>0) catch "bad""#,
    "(first(.[]|.x+1),length)",
    "[first(.[]|range(.id;9)),length]",
    "[length,first(.[]|repeat(1))]",
    "group_by(.k)|map(first(.[]|repeat(.id)))",
    "group_by(.k)|map([limit(3;.[]|repeat(.id))])",
    "group_by(.k)|map(length as $n|any(.id>$n))",
    "group_by(.k)|map(length as $n|reduce .[] as $r ($n;.+$r.id))",
    "group_by(.k)|map([limit(5;.[]|.x+1)])",
    r#"[length,(try [limit(5;.[]|.x+1)] catch "bad")]"#,
    "length,limit(9;.[]|.x+1)",
    "length,(.[]|.x+1)",
    "[.[]|.id]|reduce .[] as $i (0;.+$i)",
    "group_by(.k)|map(length)|reduce .[] as $n (0;.+$n)",
    "group_by(.k)|map(length)|any(.>2)",
    "group_by(.k)|any(length>2)",
    "sort_by(.n)|first(.[]|select(.id>2)|.id)",
    "sort_by(.n)|any(.id>2)",
    r#"sort_by(-.id)|reduce .[] as $r ("";.+($r.id|tostring))"#,
    "group_by(.k)|map(any)",
    "group_by(.k)|map(map(.id)|all)",
    "group_by(.k)|map(all(.n>(0,100)))",
    "group_by(.k)|map(any(.n>(0,100)))",
    "any(.n>(0,100))",
    "all(.n>(0,100))",
    "group_by(.k)|map(reduce .[] as $r (0;.+$r.id,.))",
    "group_by(.k)|map(reduce .[] as $r ([1,2];.+[$r.id]))",
    r#"group_by(.k)|map(reduce .[] as $r ({"a":[0]};.a[0]+=$r.id))"#,
    "def f: .n>2; group_by(.k)|map(any(f))",
    "def any(f): 7; group_by(.k)|map(any(.n))",
    "def empty: 7; group_by(.k)|map(any(.n>2))",
    "def input: 7; group_by(.k)|map(reduce .[] as $r (0;.+$r.id))",
    "last(.[]|.id)",
    "last(.[]|.tags[]?)",
    "last(.[]|select(.id>100))",
    "last(.[]|.x+1)",
    "map(.id)|last(.[]|select(.<4))",
    "[last(.[]|.id),length]",
    "group_by(.k)|map(map(.n)|any)",
    "group_by(.k)|map(map(.x+1)|any)",
    "group_by(.k)|map(map(.x+1)|any(.>0))",
    r#"group_by(.k)|map(try (map(.x+1)|any(.>0)) catch "bad")"#,
    r#"group_by(.k)|map(map(.x)|try any(.+1>0) catch "bad")"#,
    "group_by(.k)|map(map(.id)|reduce .[] as $i (0;.+$i))",
    "group_by(.k)|map(map(.id)|first(.[]|select(.>3)))",
    "group_by(.k)|map([.[]|.id]|[limit(2;.[])])",
    "def any: if length>90 then .[1:]|any else 7 end; any(.n>2)|[., (1|[any])]",
    "def any(g;c): if false then any(g;c) else 7 end; group_by(.k)|map([any(.n>2),any(.n;1)])",
    "def all(g;c): if false then all(g;c) else 7 end; [all(.n>2),(1|all(.;1))]",
    "group_by(.k)|map(reduce .[] as $x ({(1):2}; .))",
    "{a:reduce .[] as $x ({(null):2}; .),n:length}",
    "length as $n | map(.id)| reduce .[] as $x ({a:$n,$n:1}; .a+=$x)",
    "length as $n | map(.id)| reduce .[] as $x ({$n}; .n+=$x)",
    r#"try (map(.x+1) | last(.[]|.+"x")) catch ."#,
    r#"group_by(.k)|map(try (map(.x+1)|last(.[]|error("L"))) catch "c")"#,
    r#"group_by(.k)|map(try (map(.x+1)|last(.[]|error("L"))) catch .)"#,
    r#"try (map(.tags[])|last(.[]|((.tags or .tags[]?) or .x))) catch "c""#,
    r#"group_by(.k)|map(try (reduce (.[]|repeat(1)) as $x (0; if .>5 then error("stop") else .+1 end)) catch .)"#,
    r#"[length,(try (reduce (.[]|repeat(1)) as $x (0; if .>5 then error("stop") else .+1 end)) catch .)]"#,
    "group_by(.k)|map(reduce (.[]|.id,.x) as $i (0;.+$i))",
    r#"group_by(.k)|map([.[0].k,(try reduce (.[]|.id,.x) as $i (0;.+$i) catch "c")])"#,
    "[length,reduce (.[]|range(.id)) as $i (0;.+$i)]",
    "[length,add(.[].id)]",
    "add(.[].id)",
    "add(.[]|.id,1)",
    "group_by(.k)|map(add(.[].id))",
    ".[2:5][].id",
    ".[-2:][].id",
    "[.[2:5][]|.id]",
    ".[2:5][]|.id",
    ".[1:3][0].id",
    "[.[:3][].tags[]?]",
    "del(.[].id,.[].u)",
    "del(.[].id,.[].u)|map(keys)|.[0]",
    "del(.[]|.id,.u)",
    "del(.[].tags[0]?)|length",
    "[(group_by(.k)|length),(group_by(.u)|length)]",
    "group_by(.k)|map(group_by(.u)|length)",
    "{k:(group_by(.k)|length),n:length}",
    "(reduce .[] as $r (0;.+$r.id)) as $s | map(.id/$s)",
    "isempty(.[]|select(.id>100)) as $e | map([$e,.id])",
    "first(.[]|.id) as $e | map([$e,.id])",
    "any(.n>2) as $e | map([$e,.id])",
    "group_by(.k)|map(.[-3:]|map(.id))",
    "group_by(.k)|map(last(.[]|.tags))",
    "group_by(.k)|map([limit(3;.[]|.tags[]?)])",
];

/// The first ones of what is made first, and what is taken out by a condition.
const TAKEN: &[&str] = &[
    "first(sort_by(-.n)[])",
    "limit(3; sort_by(.id)[])",
    "limit(3; sort_by(-.id)[] | .id, .n)",
    "[limit(2; group_by(.k)[] | length)]",
    "[limit(2; group_by(.k)[][] | .id)]",
    "del(.[] | select(.n > 1))",
    "del(.[] | select(.n, .x))",
    "del(.[] | select(empty))",
    r#"del(.[] | select(.tags[]? == "q"))"#,
    "del(.[] | select(.n | error))",
    "[limit(2; sort_by(.id)[].id)]",
    "group_by(.k) | map({k: .[0].k, top: [limit(2; sort_by(-.id)[].id)]})",
    "group_by(.k) | map([limit(2; sort_by(-.id)[] | .id, .n)])",
    "first(map(.id)[])",
    "first(add(.[] | {a: .id})[])",
    "first(max_by(.id)[])",
    "[limit(2; {n: length}[])]",
    "group_by(.k) | map(first(max_by(.id)[]))",
    "first((reduce .[] as $x ({}; .[$x.id | tostring] = 1))[])",
    "try first(length[]) catch .",
    "try first(\"abc\"[]) catch .",
    "[limit(-1; .[].id)]",
    "[limit(0; .[].id)]",
    "[limit(0; sort_by(.id)[].id)]",
    "[limit(0; error)]",
    "group_by(.k) | map([limit(-1; .[].id)])",
    "group_by(.k) | map(del(.[] | select(.n > 1)) | length)",
    "group_by(.k) | map(del(.[] | select(.n > 1)) | map(.id))",
    "first(unique_by(.k)[])",
    "first(unique_by(.k)[].id)",
    "first(unique_by(.k)[].tags[]?)",
    "[limit(3; unique_by(.k)[].tags[]?)]",
    "[limit(3; map(.tags)[][])]",
    "first(reverse[])",
    "[limit(2; reverse[] | .id)]",
    "[limit(2; to_entries[] | .key)]",
    "limit(2; map(.id, .n)[])",
    "[limit(2; .[2:5][])]",
    "[limit(2; .[2:5][].id)]",
    "first(sort_by(.id)[] | select(.n > 1))",
    "first(sort_by(.id)[] | select(.n > 1) | .id)",
    "{a: first(sort_by(.id)[] | .id), n: length}",
    "{a: [limit(2; sort_by(.id)[].id)], n: length}",
    "def sort_by(f): .; first(sort_by(-.id)[].id)",
    "def not: 1; del(.[] | select(.id > 3))",
    "def limit(n; f): f; [limit(2; sort_by(-.id)[].id)]",
    "first((sort_by(.id), .)[] | .id)",
    "[limit(3; (sort_by(.id), .)[] | .id)]",
    "map(select(.id < 3)) | first(sort_by(-.id)[].id)",
    "[first(.[] | sort_by(.id)?)]",
    r#"del(.[] | select(.k == "a") | .n) | map(.n)"#,
    "del(.[] | select(.id == (1,2))) | map(.id)",
    "del(.[]? | select(.id == 1)) | map(.id)",
    r#"first(error("x")[])"#,
    r#"try first(sort_by(error("x"))[]) catch ."#,
    "[.[] | first(.tags[]?)]",
    "first(sort_by(.k)[] | .zzz[0])",
];

/// What chooses among groups.
const CHOICES: &[&str] = &[
    "group_by(.k)|sort_by(-length)|.[:2]|map({k:.[0].k,n:length})",
    "group_by(.k)|sort_by(-length,.[0].k)|.[:2]|map(.[0].k)",
    "group_by(.k)|sort_by(length)|map(.[0].k)",
    "group_by(.k)|sort_by(length)|reverse|map(.[0].k)",
    "group_by(.k)|sort_by(length)|reverse|.[:1]|map({k:.[0].k,n:length})",
    "group_by(.k)|sort_by(length)|reverse|.[0]|{k:.[0].k,n:length}",
    "group_by(.k)|max_by(length)|.[0].k",
    "group_by(.k)|max_by(length)|{k:.[0].k,n:length,s:(map(.id)|add)}",
    "group_by(.k)|min_by(length)|.[0].k",
    "group_by(.k)|max_by(map(.id)|add)|length",
    "group_by(.k)|any(length>2)",
    "group_by(.k)|all(length>2)",
    "group_by(.k)|any(length>2)|not",
    "group_by(.k)|length",
    "group_by(.k)|map(select(length>2))|length",
    "group_by(.k)|map(select(length>1))|sort_by(-(map(.id)|add))|map(.[0].k)",
    "group_by(.k)|map(select(length>1))|.[0]|length",
    "group_by(.k)|map(select(length>100))|.[0]|length",
    "group_by(.k)|map(select(length>100))|max_by(length)|.[0].k",
    "group_by(.k)|map(select(length>100))|max_by(length)|length",
    "group_by(.k)|.[0]|length",
    "group_by(.k)|.[0].x",
    "group_by(.k)|.[-1]|map(.id)|add",
    "group_by(.k)|first|length",
    "group_by(.k)|last|{n:length}",
    "group_by(.k)|.[1:]|map(length)",
    "group_by(.k)|.[1:3][]|length",
    "group_by(.k)|.[:2]|.[]|[.[0].k,length]",
    "group_by(.k)|sort_by(-length)[]|[.[0].k,length]",
    "group_by(.k)|sort_by(-length)|.[]|select(length>1)|.[0].k",
    "[group_by(.k)|sort_by(-length)|.[]|select(length>1)|.[0].k]",
    r#"[group_by(.k)|sort_by(-length)|.[]|.[0].k]|join(",")"#,
    "group_by(.k)|sort_by(map(.x)|add)|map(.[0].k)",
    "group_by(.k)|sort_by(.[0].k)|map(map(.x)|add)",
    "group_by(.k)|map(select(any(.n>2)))|map(.[0].k)",
    r#"group_by(.k)|map(select(.[0].k=="a"))|map(map(.id))"#,
    "group_by(.k)|sort_by(-length)",
    "group_by(.k)|sort_by(-length)|map(map(.id))",
    "group_by(.k)|sort_by(-length)|map(tojson)",
    "group_by(.k)|sort_by(tojson)|map(length)",
    "group_by(.k)|max_by(length)",
    "group_by(.k)|max_by(length)|map(.id)",
    "group_by(.k)|max_by(length)|map(.id)|add",
    r#"group_by(.k)|sort_by(-length)|map({k:.[0].k,n:length})|.[:2]|map(.k)|join(",")"#,
    "group_by(.k)|sort_by(-length)|.[:2]|map(.[0].k)|to_entries",
    "group_by(.k)|map(select(length>(1,2)))|map(length)",
    "group_by(.k)|sort_by(length,.[0].x+1)|map(length)",
    "group_by(.k)|map(select(.[0].x+1>0))|length",
    "def f: length; group_by(.k)|sort_by(f)|map(f)",
    "length as $n|group_by(.k)|sort_by(-length)|map(length/$n)",
    "group_by(.k)|sort_by(-length)|.[0][0].k",
    "group_by(.k)|sort_by(-length)|.[0][0]",
    "group_by(.k)|(max_by(length)|.[0].k),(min_by(length)|.[0].k)",
    "[group_by(.k)[]|select(length>2)|length]",
    "group_by(.k)|map(select(length>2))|.[]|.[0].k",
    "group_by(.k)|map(select(length>2))[]|.[0].id",
    "first(group_by(.k)[]|length)",
    "[limit(2;group_by(.k)|sort_by(-length)|.[]|.[0].k)]",
    "map(select(.id>100))|group_by(.k)|max_by(length)|length",
    "map(select(.id>100))|group_by(.k)|max_by(length)|.[0].k",
    "map(select(.id>100))|group_by(.k)|.[0]|{n:length}",
    "map(select(.id>100))|group_by(.k)|sort_by(length)|.[0]|map(.id)",
    "group_by(.tags[]?)|sort_by(-length)|map(length)",
    "group_by(.k)|reverse|map(length)",
    "group_by(.k)|reverse|.[0]|length",
];

/// Programs beyond those of the page: what planning could get wrong.
const MORE: &[&str] = &[
    // Groups within groups.
    "group_by(.k) | map(group_by(.t) | map([.[0].t, length]))",
    "group_by(.k) | map({k: .[0].k, b: (group_by(.t) | map({n: length, s: (map(.n) | add)}))})",
    "group_by(.k) | map(group_by(.t) | map(group_by(.n) | map(length)) | length)",
    "group_by(.k) | map([.[0].k, (group_by(.t) | map(.[-1].n) | max)])",
    "group_by(.k) | map(group_by(.t) | map(select(length > 1) | .[0].n))",
    "group_by(.k) | map(group_by(.t.x) | map(min_by(.n)))",
    "group_by(.k) | map(try (group_by(.t.x) | map(length + 1)) catch \"bad\")",
    "{n: length, t: (group_by(.t) | map(unique_by(.n) | length))}",
    "{e: (group_by(empty) | map(length)), n: length}",
    "length as $n | {t: (group_by(.t) | map(length / $n))}",
    "map({t}) | [length, (group_by(.t) | map(max_by(.t)))]",
    "[(group_by(.k) | map(.[0].k + 1)), length]",
    "map(select(.n > 1)) | group_by(.k) | map({k: .[0].k, n: length, ids: map(.id)}) | sort_by(-.n)",
    "group_by(.k) | map(select(length > 1) | {k: .[0].k, m: (map(.n) | max)})",
    "group_by(.k) | map(if length > 2 then \"many\" else length end)",
    "group_by(.u)[] | select(length > 1) | .[0].u, length",
    "group_by(.k) | map(length as $n | map(.id) | add / $n)",
    "group_by(.k) | map([.[-2:][].id])",
    "group_by(.k) | map((map(.x) | add)? // \"none\")",
    "group_by(.k) | map(try (map(.x) | add) catch .)",
    "group_by(.k) | map({(.[0].k // \"none\"): {n: length, first: first.id, last: last.id}}) | add",
    "group_by(.k) | map([limit(1; .[] | .id)])",
    "group_by(.k) | map({k: .[0].k, s: (sort_by(.x) | .[0].id), r: (sort_by(.id) | reverse | .[0:2] | map(.id))})",
    "def big: .n > 1; map(select(big)) | length",
    "def length: 7; length",
    "def f(g): map(g); f(.id) | add",
    "map(.id) | .[2:5], .[:2], .[-1:]",
    "map(.tags[]?) | unique, length",
    "map(.id) | first, last, nth(3), .[20]",
    "map(.id, .k) | length",
    "map(empty) | length, add, min, first",
    "[.[] | select(.k == \"a\") | .id] | add / length",
    "sort_by(.k) | .[2:4] | map(.id)",
    "sort_by(.k, -.id) | map([.k, .id])",
    "sort_by(.k) | first.id, last.id",
    "[.[].k] | unique | join(\"+\")?",
    ".[2:4]",
    ".[3:] | map(.id)",
    ".[] | select(.k == \"a\") | {id, k}",
    "first(.[] | select(.k == \"c\")).id",
    "[limit(3; .[]) | .id]",
    "[limit(0; .[] | error)]",
    "limit(2; .[]).id",
    "map(.id) | .[:2] | .[]",
    "map(if .id > 5 then error(\"late\") else .id end) | .[:2]",
    "map(if .id > 5 then error(\"late\") else .id end) | .[]",
    ".[] | if .id > 5 then error(\"late\") else .id end",
    "unique_by(.k)[] | .id",
    "[.[] | {k, n}] | group_by(.k) | map([.[0].k, (map(.n) | add)])",
    "map(.d.e.f) | map(type)",
    "group_by(.d.e) | length",
    "group_by(.n.x)",
    "map_values(.id)",
    ".[] |= .id",
    "del(.[].t) | .[0] | has(\"t\")",
    "reduce .[] as $r (0; . + $r.id) | . * 2",
    "[foreach .[].id as $i (0; . + $i)] | last",
    "any(.[]; .id > 7), all(.[]; .id > 0)",
    "any(.[]; .id > 7)",
    "\"\\(length) of \\(map(.k) | unique | length)\"",
    "{a: length, b: {c: (map(.id) | max), d: [min_by(.x).id, max_by(.x).id]}}",
    "length > 3 and (map(.id) | add) == 36",
    "(-(map(.id) | add))",
    "min_by(.n) | .id",
    "1, 2",
    "empty",
    "error(\"always\")",
    ".",
    "map(.)",
    "map(.) | map(.)",
    "sort",
    "unique",
    "group_by(.)",
    // What is made of all elements fails before anything is seen of it, and what follows shows what it gave.
    "map(if .id > 5 then error(\"late\") else . end) | first(.[]).id",
    "map(if .id > 5 then error(\"late\") else . end) | limit(2; .[].id)",
    "map(if .id > 5 then error(\"late\") else . end) | limit(0; .[])",
    "map(.) | .[] | if .id > 5 then error(\"late\") else .id end",
    "group_by(.k) | map(.[0]) | .[] | if .k == \"b\" then error(\"late\") else .id end",
    "group_by(.k) | map(map(.x + 1) | 5)",
    "group_by(.k) | map(map(error(\"always\")) | try length catch \"caught\")",
    "group_by(.k) | map(map(error(\"always\")) | {a: 1, b: length})",
    "1, (map(error(\"always\")) | if true then 5 else length end)",
    "group_by(error) | .[:0]",
    "[limit(2; .[])] | group_by(.id.x) | [limit(0; .[])]",
    // What a record gave before its error, and no more of it than is asked for.
    ".[] | .id, error(\"late\")",
    "first(.[] | .id, error(\"late\"))",
    "[limit(3; .[] | .id, (if .id > 1 then error(\"late\") else 5 end))]",
    "first(.[] | repeat(1))",
    "group_by(.k)[] | (.[0].id, error(\"late\"))",
    // Errors in jq's order.
    "try (map(if .id > 5 then error(\"f\") else .id end) | min_by(error(\"g\"))) catch .",
    "try (map(if .id > 6 then error(\"f\") else .x end) | unique_by(error(\"g\"))) catch .",
    "try (map(if .id > 5 then error(\"f\") else . end) | map(.id | error(\"g\")) | add) catch .",
    // What is in brackets is evaluated on the array.
    ".[0][.[1].k]",
    ".[].o[.[0].k]?",
    "sort_by(.id) | .[0][if length == 1 then \"id\" else \"u\" end]",
    "length as $n | .[0].tags[$n - 8:], .[0].tags[:$n]",
    // What ends the run, or says where it stands.
    "length | halt",
    "[length, .[0].id] | halt_error(3)",
    "length, input",
    "length\n| [., $__loc__]",
    // Names that the program defines anew.
    "def true: length; true",
    "def empty: length; [empty]",
    "def first(f): 7; map_values(.id), (.[] |= .id)",
    "def __agg(f): 7; length",
    "length as $__agg0 | add? // $__agg0",
    "def null: length; reduce .[] as $r (null; . + 1)",
    "def inputs: 7; reduce .[] as $r (0; . + 1)",
    // Far from the ends.
    ".[20000].id, .[-20000], nth(20000)",
    ".[20000].id",
    "map(.x + 1) | .[20000]",
];

/// Programs that need the input twice.
const TWICE: &[&str] = &[
    "(map(.id) | add) as $s | map(.id * 100 / $s | floor)",
    "5 as $n | map(.id * $n)",
    "(1, 2) as $n | map(.id * $n) | add",
    "(group_by(.k) | map({key: (.[0].k // \"none\"), value: length}) | from_entries) as $c | .[] | {id, c: $c[.k // \"none\"]}",
    "map(select(.id > 2)) | length as $n | (map(.id) | add) as $s | .[] | .id / $s * $n",
    "(map(.id) | min, max) as $x | map(.id - $x)",
    "def f: .id; (map(f) | max) as $m | map(select(f == $m))",
    "[.[0].id, .[1].id] as [$a, $b] | map($a + $b + .id)",
    "{a: length} as {a: $x} | map(.id + $x)",
    "{a: length} as {$a} | map(.id + $a)",
    "first(.[] | select(.k == \"b\")) as $b | map(.id - $b.id)",
    "first(.[] | select(.k == \"nowhere\")) as $b | map(.id)",
    "(map(.id) | add) as $s | 5 as $s | map(.id / $s)",
    "(map(.id) | add) as $s | (map(.id / $s) | max) as $m | map(select(.id / $s == $m)) | length",
    "(map(.x + 1) | add) as $s | map(.id / $s)",
    "map(.x + 1) | length as $n | map($n)",
    "(length, error(\"late\")) as $s | map(.id / $s)",
    "(map(.id) | add) as $s | .[] | if .id > 4 then error(\"late\") else .id / $s end",
    "empty as $x | map($x)",
    "(map(.id) | add) as $s | {total: $s, rows: map(.id / $s)}",
    "(map(.id) | add) as $s | group_by(.k) | map({k: .[0].k, share: ((map(.id) | add) / $s)})",
    "(map(.id) | add / length) as $mean | map(.id - $mean | . * .) | add / length | sqrt",
    "length as $n | reduce .[] as $r (0; . + $r.id / $n)",
    "length as $n | sort_by(.id) | map(.id / $n) | .[:3]",
    "(map(.id) | add) as $s | def g: . / $s; map(.id | g)",
    "(map(.k) | unique) as $ks | map(.k as $k | $ks | index($k))",
];

/// Programs whose variables have names twice, which must not be mixed up by another pass.
const RENAMED: &[&str] = &[
    "2 as $s | map(.id * $s) | max as $s | map(. / $s)",
    "(map(.id) | add) as $s | map({s: .id, $s}) | length as $s | map(.s * $s)",
    "(map(.id) | add) as $s | map(select(.id < $s)) | (map(.id) | max) as $s | map(.id * $s)",
    "length as $s | map(.id + $s) | (map(. + $s) | add) as $s | map(. / $s)",
];

/// Functions beyond jq's, and definitions of the program's own, which are planned as what they stand for.
const DEFINED: &[&str] = &[
    "count_by(.k)",
    "count_by(.k) | map(.count) | add",
    "map(.k) | frequencies",
    "topk(2; .id) | map(.id)",
    "topk(0; .id)",
    "distinct_by(.k) | map(.id)",
    "map(.id) | distinct_by(. % 3), length",
    "distinct_by(.k)[] | .id",
    "mean(.x | numbers), mean(.id)",
    "map(empty) | mean(.x), stddev(.x), quantile(0.5; .)",
    "group_by(.k) | map({k: .[0].k, mean: mean(.id), deviation: stddev(.id), median: quantile(0.5; .id)})",
    "stddev(.id), quantile(0.9; .id)",
    "map(.us | time_bucket(60000000)) | unique",
    "def recent(s): map(select(.us > s)); recent(1732206350000000) | length",
    "def a: .id; def b: a; map(b) | add",
    "def f: length; def length: 7; f",
    "def f(x): x | length; def length: 7; f(.)",
    "def count_by(f): 7; count_by(.k)",
    "def group_by(f): 7; count_by(.k), group_by(.k)",
    "def f($n): .[:$n]; f(2) | map(.id)",
    "def f($n): $n + length; f(1, 2)",
    "5 as $n | def f(g): $n + (map(g) | add); f(.id)",
    "def f(g): 4 as $x | g; 3 as $x | f($x)",
    "def f: if length > 3 then .[1:] | f else length end; f",
    "def f(g): def h: g; h; f(map(.id) | add)",
    "def f: map(.id); def g: f | add; g, (f | length)",
    "def f(f): f; f(length)",
    "any, all",
    "any(.id > 7), all(.id > 0)",
    "any(.id > 3)",
    "approx_distinct(.k), approx_distinct(.tags[]?), (map(.id) | approx_distinct(.))",
    "group_by(.k) | map({k: .[0].k, about: approx_distinct(.id), some: (sample(2) | map(.id))})",
    "sample(3), sample(3; 7), sample(0; 1), sample(1000; -1) | map(.id)",
    "map(.tags[]?) | sample(4; 2), length",
    "sample(20000) | length",
    "sample(-1)",
    "sample(2; \"x\")",
    "map(.id) | sample(length / 2 | floor)",
    "def sample($n): 7; sample(1), sample(1; 1)",
];

/// A program's text, exit code and whether it says something, without the place that only a plan knows.
fn outcome(ran: &Ran) -> (&str, Option<i32>, Option<&str>) {
    let said = ran.err.trim_end();
    let said = ["kitbag: ", ".jsonl:"].iter().find_map(|mark| said.split_once(mark)).map_or(said, |(_, text)| text);
    (&ran.out, ran.code, said.rsplit_once(": ").map_or(Some(said), |(_, text)| Some(text)))
}

/// Each program under each setting against the interpreter, which `before` and these options bring it to.
pub(super) fn compare(programs: &[String], with: &[&str], before: &str, input: &str, settings: &[&[&str]]) {
    let mut wrong = String::new();
    let slurped: &[&str] = if with == ["-s"] { with } else { &[] };
    for program in programs {
        let whole = run(&[with, &[&*(before.to_owned() + program), input]].concat());
        for options in settings {
            let ran = kitbag().args(*options).args(slurped).args([program, input]).output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            let ran = Ran { out: text(ran.stdout), err: text(ran.stderr), code: ran.status.code() };
            if outcome(&ran) != outcome(&whole) {
                let _ = writeln!(wrong, "{options:?} {program}\n  {ran:?}\n  {whole:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn planned_programs_give_what_the_interpreter_gives() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/src/jq/tests/data.jsonl");
    compare(&programs(), &["-s"], COLLECTED, data, &[&[], &["--threads", "8", "--memory", "16MiB"]]);
}

/// Records with few and many keys, numbers of all kinds, and texts.
fn records(count: u64) -> String {
    let mut text = String::new();
    for n in 0..count {
        let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let number = match n % 5 {
            0 => format!("{}", mixed % 1000),
            1 => format!("{}.50", mixed % 100),
            2 => format!("{}e1", mixed % 10),
            3 => format!("-{}", mixed % 1000),
            _ => "null".to_owned(),
        };
        let (few, many) = (mixed % 7, mixed % (count / 3));
        let _ = writeln!(
            text,
            r#"{{"id":{n},"k":"key {few}","u":"user {many}","n":{number},"x":0.{},"tags":["t{}","t{}"],"o":{{"a":{{"b":{few}}}}},"pad":"{}"}}"#,
            mixed % 997,
            mixed % 3,
            mixed % 11,
            "-".repeat((mixed % 90) as usize),
        );
    }
    text
}

#[test]
fn plans_that_spill_give_what_those_give_that_do_not() {
    let dir = files(&[("records.jsonl", &records(30_000)), ("report.json", "")]);
    let programs = [
        "group_by(.u) | map({u: .[0].u, n: length, x: (map(.x) | add), t: (map(.tags[]) | unique)})",
        "group_by(.u) | map({u: .[-1].u, least: min_by(.x).id, most: (map(.n) | max), all: map(.id)})",
        "group_by(.k, .u) | map([.[0].k, .[0].u, length]) | sort_by(-.[2], .[1]) | .[:20]",
        "group_by(.k) | map({k: .[0].k, n: length, a: (map(.n // 0) | add), mean: (map(.x) | add / length)})",
        "sort_by(.x, .u) | map(.id)",
        "sort_by(.n) | .[100:110] | map({id, n})",
        "unique_by(.u) | map(.id)",
        "map(select(.x > 0.5)) | map(.pad | length) | add",
        "[.[] | .u] | unique | length",
        "group_by(.u)[] | select(length > 5) | {u: .[0].u, ids: [.[].id]}",
        "map([.u, .id]) | reverse | .[10:20]",
        "sort_by(.u) | reverse | map(.id)",
        "map(.id) | to_entries | map([.key, .value]) | .[5:-29900]",
        "approx_distinct(.u), (sample(100; 3) | map(.id))",
        "group_by(.x) | map([approx_distinct(.u), (sample(3) | map(.id))])",
        "group_by(.k) | map({k: .[0].k, n: length, u: (group_by(.u) | map([.[0].u, length, (map(.x) | add)]) | .[:9])})",
        "group_by(.k) | map(group_by(.u) | map(length) | [length, max])",
        "{n: length, u: (group_by(.u) | map(length) | [length, max])}",
        "group_by(.u) | map([.[0].u, any(.x > 0.99), all(.id > 5), ([limit(2; .[] | .tags[])]), last(.[] | .pad)])",
        "group_by(.u) | map(first(.[] | select(.x > 0.5) | .id))",
        "group_by(.u) | map({u: .[0].u, s: (reduce .[] as $r ({}; .[$r.k] += 1)), n: (reduce .[].id as $i (0; . + $i))})",
        "group_by(.k) | map(reduce .[] as {id: $id, tags: [$tag]} ({}; .[$tag] += [$id]) | map_values(length))",
        "group_by(.k) | map(group_by(.u) | map([any(.x > 0.99), (reduce .[].id as $i (0; . + $i))]))",
        "{any: any(.x > 0.9), first: first(.[] | select(.id > 777) | .u), s: (reduce .[] as $r ({}; .[$r.k] += $r.id))}",
        "group_by(.u) | sort_by(-length, .[0].u) | .[:20] | map({u: .[0].u, n: length, x: (map(.x) | add)})",
        "group_by(.u) | map(select(length > 5)) | max_by(map(.x) | add) | {u: .[0].u, ids: map(.id)}",
        "group_by(.u) | any(length > 9), length",
        "any(.x > 0.9961), all(.id >= 0)",
        "any(.id > 29000)",
        "all(.x < 0.99)",
    ];
    let programs: Vec<String> = programs.iter().map(ToString::to_string).collect();
    let input = at(&dir, "records.jsonl");
    let settings: [&[&str]; 4] = [
        &["--threads", "1"],
        &["--threads", "2", "--memory", "6MiB"],
        &["--threads", "8", "--memory", "8MiB"],
        &["--threads", "3", "--memory", "1GiB"],
    ];
    compare(&programs, &["-s"], COLLECTED, &input, &settings);
    // That something was spilled is said by the report.
    let report = at(&dir, "spilled.json");
    let ran = run(&["-s", "--memory", "4MiB", "--threads", "2", "--report", &report, &programs[1], &input]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let spilled = run(&["[.stages[].spilled_bytes] | add > 1000000", "--values", &report]);
    assert_eq!(spilled.out, "true\n", "{}", std::fs::read_to_string(&report).unwrap());
    // Of a group nothing is held that is only asked for the first that there is.
    let program = "group_by(.k) | map([any(.x > 2), all(.x < 2), isempty(.[] | select(.id > 29000)), last(.[] | .id)])";
    let ran = run(&["-s", "--memory", "4MiB", "--threads", "2", "--report", &report, program, &input]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let spilled = run(&["[.stages[].spilled_bytes] | add", "--values", &report]);
    assert_eq!(spilled.out, "0\n", "{}", std::fs::read_to_string(&report).unwrap());
}

#[test]
fn what_is_beyond_jq_is_planned() {
    for program in [
        "count_by(.k)",
        "map(.k) | frequencies",
        "topk(3; .n)",
        "distinct_by(.k)",
        "mean(.n)",
        "stddev(.n)",
        "approx_distinct(.n)",
        "group_by(.k) | map(sample(2; 7))",
    ]
    .iter()
    .chain(PLACES)
    {
        let explained = run(&["-s", "--explain", program]).out;
        assert!(!explained.starts_with("collected"), "{program}: {explained}");
    }
}

#[test]
fn the_input_is_read_twice_rather_than_held() {
    for program in TWICE {
        let explained = run(&["-s", "--explain", program]).out;
        assert!(explained.starts_with("first") && !explained.contains("collected: "), "{program}: {explained}");
    }
    let dir = files(&[("records.jsonl", &records(60_000)), ("bad.jsonl", "{\"n\":1}\n{]\n{\"n\":3}\n{}}\n")]);
    let (input, target) = (at(&dir, "records.jsonl"), at(&dir, "out.jsonl"));
    let program = "(map(.id) | add) as $s | map(.id / $s) | add * 1000 | floor";
    let little = ["-s", "--memory", "2MiB", "--threads", "1"];
    let ran = run(&[&little[..], &[program, &input]].concat());
    assert_eq!((ran.out.as_str(), ran.code), ("999\n", Some(0)), "{}", ran.err);
    // What comes through a pipe cannot be read again.
    let text = std::fs::read_to_string(&input).unwrap();
    let piped = |options: &[&str]| finish(kitbag().args(options).arg(program), text.as_bytes());
    assert_eq!((piped(&little).code, piped(&["-s"]).out.as_str()), (Some(6), "999\n"));
    // A target is written once, whatever the passes.
    for (program, text) in
        [(program, "999\n"), ("(1, 2) as $n | length / $n", "60000\n30000\n"), ("empty as $n | length", "")]
    {
        let ran = run(&["-s", "--overwrite", "-o", &target, program, &input]);
        assert_eq!((ran.code, std::fs::read_to_string(&target).unwrap().as_str()), (Some(0), text), "{}", ran.err);
    }
    // What cannot be read is left out by both passes, and counted once.
    let (input, rest) = (at(&dir, "bad.jsonl"), at(&dir, "rest.jsonl"));
    let quarantine = format!("quarantine={rest}");
    for (policy, program) in [
        ("skip", "(map(.n) | add) as $s | map(.n / $s)"),
        ("skip", "(map(.n) | add, 4) as $s | .[].n / $s"),
        ("skip", "(map(.n) | select(length > 5)) as $s | map(.n)"),
        (quarantine.as_str(), "(map(.n) | add) as $s | map(.n / $s)"),
    ] {
        let ran = run(&["-s", "--on-error", policy, program, &input]);
        assert_eq!((ran.err.as_str(), ran.code), ("kitbag: 2 records were left out\n", Some(2)), "{program}");
    }
    assert_eq!(std::fs::read_to_string(&rest).unwrap().lines().count(), 2);
}

#[test]
fn explain_names_each_stage() {
    let explained = |program: &str| run(&["-s", "--explain", program]).out;
    assert_eq!(
        explained("map(select(.ok)) | group_by(.k) | map({k: .[0].k, n: length}) | sort_by(.n) | .[]"),
        "each: streams, keeps order: select(.ok)\n\
         groups: holds a state for each key, spills; in order of the key .k\n    \
         $__agg0 = nth(.; 0; .k)\n    $__agg1 = count(.)\n    \
         then {\"k\": __agg($__agg0),\"n\": __agg($__agg1)}\n\
         sort: holds the records, spills; by .n\n\
         stream: each element is an output\n"
    );
    assert!(explained(".[length / 2]").starts_with("collected: "));
    assert!(explained("reduce .[] as $r (0; . + $r.n)").starts_with("in turn: "));
}

#[test]
fn a_long_list_is_no_nest_of_brackets() {
    let list = (0..1500).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let dir = files(&[
        ("a.jsonl", "{\"id\":7}\n{\"id\":-7}\n"),
        ("in.jq", &format!("map(select(.id | IN({list}))) | length")),
    ]);
    let ran = run(&["-s", "-f", &at(&dir, "in.jq"), &at(&dir, "a.jsonl")]);
    assert_eq!((ran.out.as_str(), ran.code), ("1\n", Some(0)), "{}", ran.err);
}

#[test]
fn a_target_is_there_only_after_the_programs_end() {
    let dir = files(&[("a.jsonl", "{}\n")]);
    let (input, target) = (at(&dir, "a.jsonl"), at(&dir, "out.jsonl"));
    let ran = run(&["-s", "-o", &target, "length, error(\"late\")", &input]);
    assert_eq!((ran.code, std::path::Path::new(&target).exists()), (Some(5), false), "{}", ran.err);
}

#[test]
fn an_array_is_seen_whole_or_not_at_all() {
    let dir = files(&[("a.jsonl", "{\"n\":1}\n{\"n\":2}\n{\"n\":\"x\"}\n")]);
    let input = at(&dir, "a.jsonl");
    let ran = run(&["-s", "map(.n + 1)", &input]);
    assert_eq!((ran.out.as_str(), ran.code), ("", Some(5)));
    assert_eq!(ran.err, format!("{input}:3:1: string (\"x\") and number (1) cannot be added\n"));
    let ran = run(&["-s", ".[] | .n + 1", &input]);
    assert_eq!((ran.out.as_str(), ran.code), ("2\n3\n", Some(5)));
}

#[test]
fn what_grows_beyond_the_budget_ends_with_6() {
    let dir = files(&[("records.jsonl", &records(60_000))]);
    let input = at(&dir, "records.jsonl");
    for program in [
        "map(.u) | tojson | length",
        "map(.pad) | add | length",
        "map(.u) | [add, (tojson | length)] | length",
        "group_by(.k | length) | map(map(.u) | tojson | length)",
        "group_by(.k | length) | map([(map(.pad) | add | length), (map(.u) | tojson | length)])",
        ".[length / 2 | floor]",
    ] {
        let ran = run(&["-s", "--memory", "2MiB", "--threads", "1", program, &input]);
        assert_eq!((ran.out.as_str(), ran.code), ("", Some(6)), "{program}: {}", ran.err);
        assert!(ran.err.contains("memory"), "{program}: {}", ran.err);
        assert_eq!(run(&["-s", "--memory", "1GiB", program, &input]).code, Some(0), "{program}");
    }
}

#[test]
fn the_order_of_an_array_and_of_inputs_is_kept_with_unordered() {
    let dir = files(&[("records.jsonl", &records(60_000))]);
    let input = at(&dir, "records.jsonl");
    for options in [
        &["-s", "map(.id)"][..],
        &["-s", "sort_by(.x)[] | .id"],
        &["-s", "reduce .[] as $r (0; (. * 31 + $r.id) % 1000003)"],
        &["-s", ".[length / 2 | floor].id"],
        &["-n", "[inputs.id]"],
        &["[.id, input.id]"],
        &["select(input_line_number != .id + 1)"],
    ] {
        let ordered = kitbag().args(options).arg(&input).output().unwrap();
        let unordered = kitbag().args(["--unordered", "--threads", "4"]).args(options).arg(&input).output().unwrap();
        assert_eq!((ordered.status.code(), ordered.stdout == unordered.stdout), (Some(0), true), "{options:?}");
    }
}
