# What of the language is written in the language. Unlike a user's program this is compiled as it stands: operands
# evaluate left before right, and `reduce` with several outputs branches.

def empty: {}[] as $x | .;
def true: 0 == 0;
def false: 0 != 0;
def null: [][0];
def error: error_empty as $x | .;
def error(message): (message | error_empty) as $x | .;
def select(f): if f then . else empty end;
def map(f): [.[] | f];
def recurse(f): def r: ., (f | r); r;
def recurse: recurse(.[]?);
def recurse_down: recurse;
def recurse(f; condition): def r: ., (f | select(condition) | r); r;
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type | . == "array" or . == "object");
def scalars: select(type | . != "array" and . != "object");
def isfinite: type == "number" and (isinfinite | not);
def finites: select(isinfinite or isnan | not);
def isnormal: type == "number" and (. == 0 or isinfinite or isnan or fabs < 2.2250738585072014e-308 | not);
def normals: select(isnormal);

def range($to): range(0; $to; 1);
def range($from; $to): range($from; $to; 1);
def while(condition; update): def r: if condition then ., (update | r) else empty end; r;
def until(condition; update): def r: if condition then . else update | r end; r;
def repeat(f): def r: f, r; r;
def isempty(g): first((g | false), true);
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def nth($n; g): if $n < 0 then error("nth doesn't support negative indices") else first(skip($n; g)) end;
def any(g; condition): isempty(first(g | condition or empty)) | not;
def all(g; condition): isempty(first(g | condition and empty));
def any(f): any(.[]; f);
def all(f): all(.[]; f);
def any: any(.[]; .);
def all: all(.[]; .);
def in(container): . as $key | container | has($key);
def inside(container): . as $part | container | contains($part);
def index($part): _index($part);
def rindex($part): _rindex($part);
def add(f): reduce f as $x (null; . + $x);
def flatten: flatten(1e9);
def combinations: if length == 0 then [] else .[0][] as $x | .[1:] | combinations as $rest | [$x] + $rest end;
def combinations($n): . as $values | [range($n)] | map($values) | combinations;
def map_values(f): .[] |= f;
def with_entries(f): to_entries | map(f) | from_entries;
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;

def paths: path(..) | select(length > 0);
def paths(f): path(.. | select(f)) | select(length > 0);
def leaf_paths: paths(scalars);
def getpath($path): if ($path | type) == "array" then reduce $path[] as $step (.; .[$step])
  else error("Path must be specified as an array") end;
def del(f): delpaths([path(f)]);
def pick(f): . as $top | reduce path(f) as $path (null; setpath($path; $top | getpath($path)));
def tostream: _tostream[];
def truncate_stream(events): . as $depth | null | events | . as $event
  | if (.[0] | length) > $depth then setpath([0]; .[0][$depth:]) else empty end;
def truncate_stream($depth; events): $depth | truncate_stream(events);
def fromstream(events):
  foreach events as $event ({};
    if .done then {} else . end
    | if $event | length == 2
      then setpath(["value"] + $event[0]; $event[1]) | .done = ($event[0] == [])
      else .done = ($event[0] | length == 1) end;
    select(.done) | .value);

def ascii: [.] | implode;
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdate: fromdateiso8601;
def date: todate;
def todateiso8601: todate;
def dateadd(unit; $seconds): . + $seconds;
def datesub(unit; $seconds): . - $seconds;

def format($name):
  if $name == "text" then @text elif $name == "json" then @json elif $name == "csv" then @csv
  elif $name == "tsv" then @tsv elif $name == "html" then @html elif $name == "uri" then @uri elif $name == "sh" then @sh
  elif $name == "base64" then @base64 elif $name == "base64d" then @base64d elif $name == "urid" then @urid
  elif $name == "base32" then @base32 elif $name == "base32d" then @base32d
  else error("\($name) is not a valid format") end;

def test($re; $flags): _test($re; $flags);
def test($re): _test($re; null);
def match($re; $flags): _match($re; $flags)[];
def match($re): _match($re; null)[];
def capture($re; $flags): _capture($re; $flags)[];
def capture($re): _capture($re; null)[];
def scan($re; $flags): _match($re; "g" + $flags)[]
  | if (.captures | length) > 0 then [.captures[].string] else .string end;
def scan($re): scan($re; null);
def split($separator): _split($separator);
def split($re; $flags): [_pieces($re; $flags + "g")[] | strings];
def splits($re; $flags): split($re; $flags)[];
def splits($re): splits($re; null);
def sub($re; f; $flags): reduce (_pieces($re; $flags) | reverse[]) as $piece ("";
  . as $rest | if ($piece | type) == "string" then $piece else $piece | f end
  | if type == "string" then . + $rest else error("\(type) (\(tojson)) cannot be added to a string") end);
def sub($re; f): sub($re; f; null);
def gsub($re; f; $flags): sub($re; f; $flags + "g");
def gsub($re; f): sub($re; f; "g");
def trimstr($part): ltrimstr($part) | rtrimstr($part);

def INDEX(stream; key): reduce stream as $row ({}; .[$row | key | tostring] = $row);
def INDEX(key): INDEX(.[]; key);
def GROUP_BY(f): group_by(f);
def IN(values): any(values == .; .);
def IN(source; values): any(source == values; .);
def JOIN($index; key): [.[] | [., $index[key]]];
def JOIN($index; stream; key): stream | [., $index[key]];
def JOIN($index; stream; key; join): stream | [., $index[key]] | join;

def debug: _debug(.);
def debug(messages): (messages | _debug(.) | empty), .;
def halt_error: halt_error(5);
def have_literal_numbers: true;
def have_decnum: false;
