# Each order with what a table knows of its customer. The table is indexed once, the orders stream.
# kitbag -n --slurpfile tiers examples/etl/tiers.jsonl -f examples/etl/enrich.jq data/orders
INDEX($tiers[]; .customer) as $by
| inputs
| select(.order_id)
| {order_id, customer: .customer.id, tier: ($by[.customer.id | tostring].tier // "none")}
