# What there is: each path with each type of its values, and how many there are.
# kitbag -s -f examples/etl/schema.jq data/events
map(
    . as $record
    | path(..)
    | . as $path
    | {
        path: ("." + (map(if type == "number" then "[]" else . end) | join("."))),
        type: ($record | getpath($path) | type)
      })
| group_by([.path, .type])
| map({path: .[0].path, type: .[0].type, values: length})
| .[]
