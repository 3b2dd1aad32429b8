# The three slowest answers of each path.
# kitbag -s -f examples/etl/slowest.jq data/web
group_by(.path)
| map({path: .[0].path, hits: length, slowest: (topk(3; .latency_ms) | map({latency_ms, time, status}))})
| .[]
