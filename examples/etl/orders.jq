# Orders without their dirt, a directory for each day and currency: what has no id, no items or no date is left out.
# kitbag -f examples/etl/orders.jq --partition-by '{day, currency}' -o OUT data/orders
select(.order_id and (.items | length) > 0 and (.created_at | type) == "string")
| {
    order_id,
    customer: .customer.id,
    currency: (.currency // "none" | ascii_upcase),
    day: .created_at[:10],
    items: (.items | map(.quantity // 0) | add),
    total: (.items | map((.price | tonumber) * (.quantity // 0)) | add * 100 | round / 100)
  }
