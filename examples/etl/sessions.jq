# Visits: the hits of a client between which there are less than 30 minutes.
# kitbag -s -f examples/etl/sessions.jq data/web
map({client, at: (.time | fromdate)})
| group_by(.client)
| map(
    sort_by(.at)
    | reduce .[] as $hit ([];
        if length > 0 and $hit.at - .[-1].end < 1800
        then .[-1] |= (.end = $hit.at | .hits += 1)
        else . + [{client: $hit.client, start: $hit.at, end: $hit.at, hits: 1}]
        end)
    | .[])
| .[]
