
# What stands here for the definitions of extra.jq that are stand-ins: a sketch, and a sample that is drawn.
def approx_distinct(f): map(f) | _approx_distinct;
def sample($n; $seed): _sample($n; $seed);
def sample($n): _sample($n; 0);
