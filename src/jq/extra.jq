# What kitbag adds to jq's functions, in jq: with this text before it a program runs under any jq.

# How many elements there are for each value of f, in the order of the values.
def count_by(f): group_by(f) | map({key: .[0] | f, count: length});
# How often each element occurs, the most frequent first.
def frequencies: group_by(.) | map({key: .[0], count: length}) | sort_by(-.count);
# The n elements with the greatest f, the greatest first.
def topk($n; f): sort_by(f) | reverse | .[:$n];
# The first element of each value of f, in the order of the elements.
def distinct_by(f): to_entries | unique_by(.value | f) | sort_by(.key) | map(.value);
# The mean of f; null without elements.
def mean(f): map(f) | if length == 0 then null else add / length end;
# The standard deviation of f, as of a whole population; null without elements.
def stddev(f):
  map(f) | if length == 0 then null else (add / length) as $__mean | map(. - $__mean | . * .) | add / length | sqrt end;
# The p-quantile of f: the greatest element of which no more than a share of p is smaller; null without elements.
def quantile($p; f): map(f) | sort | if length == 0 then null else .[(length - 1) * $p | floor] end;
# The start of the span of so many seconds in which a time in seconds lies.
def time_bucket($seconds): . / $seconds | floor * $seconds;

# Stand-ins. About how many different outputs f has: in kitbag a HyperLogLog sketch, within 0.81 % two times of three.
def approx_distinct(f): map(f) | unique | length;
# n elements, in their order: in kitbag drawn at random, the same ones for the same seed, which is 0 if it is not given.
def sample($n; $seed): .[:$n];
def sample($n): .[:$n];

# [element, [the elements of $right that it meets]] for each element, in order. Two meet if [f] of the one is [g] of the
# other, by value as in group_by. Errors of g come first.
def __meet($right; f; g):
  [($right[] | {key: [g], right: .}), (to_entries[] | {key: [.value | f], at: .key, left: .value})]
  | group_by(.key)
  | map(map(select(has("right")) | .right) as $met | .[] | select(has("at")) | [.at, .left, $met])
  | sort_by(.[0])
  | map(.[1:]);
# [element, element of $right] for all that meet, in the order of the elements, then of those of $right.
def join_on($right; f; g): __meet($right; f; g) | map(.[0] as $left | .[1][] | [$left, .]);
# The same; an element that meets none is paired with null.
def left_join_on($right; f; g):
  __meet($right; f; g) | map(.[0] as $left | if .[1] == [] then [$left, null] else .[1][] | [$left, .] end);
# The elements that meet one of $right or more, each once.
def semi_join_on($right; f; g): __meet($right; f; g) | map(select(.[1] != []) | .[0]);
# The elements that meet none of $right.
def anti_join_on($right; f; g): __meet($right; f; g) | map(select(.[1] == []) | .[0]);
