# Each order with what a table knows of its customer. Both may be of any size: what does not fit in memory spills.
# kitbag -s --bag tiers=examples/etl/tiers.jsonl -f examples/etl/enrich.jq data/orders
map(select(.order_id))
| left_join_on($tiers; .customer.id; .customer)
| map(.[0] as $order | {order_id: $order.order_id, customer: $order.customer.id, tier: (.[1].tier // "none")})[]
# A record at a time, by an index of a table that is held, with -n:
#   INDEX($tiers[]; .customer) as $by | inputs | select(.order_id) | .tier = $by[.customer.id | tostring].tier
